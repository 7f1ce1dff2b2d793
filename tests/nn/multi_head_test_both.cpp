/// Multi-head attention: the fused kernel against the algebra head by head, and what must hold
/// whatever the weights.
#include "nn/multi_head.h"

#include <doctest/doctest.h>

#include <cmath>

#include "core/base/memory.h"
#include "core/engine.h"
#include "tests/oracles/gradient_check.h"

namespace multi_head_test_both {

using namespace attend;

TEST_SUITE_BEGIN("multi-head");

namespace {

constexpr double tolerance = sizeof(real) == 4 ? 2e-5 : 1e-12;

void check_close(std::span<const real> a, std::span<const real> b) {
    REQUIRE(a.size() == b.size());
    for (std::size_t i = 0; i < a.size(); ++i)
        CHECK(std::abs(static_cast<double>(a[i] - b[i])) <= tolerance * std::max(1.0, std::abs(static_cast<double>(b[i]))));
}

struct Result {
    std::vector<real> output, dx, dmemory, parameters;
};

struct Case {
    const char* name;
    AttentionOptions attention;
    BlockAttentionSetup setup;
};

std::vector<Case> cases() {
    const auto factors = [](const char* window, const char* bias) {
        Selection choice = transformer_attention(window);
        AttentionOptions o = factors_of(choice);
        o.bias.choose(bias);
        return o;
    };
    const WeightInit init{0.5};
    const auto setup = [&](int64_t memory, int64_t key_heads, double rotary) {
        return BlockAttentionSetup{.width = 12,
                              .memory = memory,
                              .heads = 3,
                              .key_heads = key_heads,
                              .bias = Bias::yes,
                              .dropout = 0,
                              .rotary_base = rotary,
                              .init = init,
                              .out_init = init};
    };
    return {{"self, causal", factors("causal", "none"), setup(0, 0, 0)},
            {"self, global", factors("global", "none"), setup(0, 0, 0)},
            {"self, one key head", factors("causal", "none"), setup(0, 1, 0)},
            {"self, rotary", factors("causal", "none"), setup(0, 0, 100)},
            {"self, alibi", factors("causal", "alibi"), setup(0, 0, 0)},
            {"cross", factors("global", "none"), setup(5, 0, 0)},
            {"cross, one key head", factors("global", "none"), setup(5, 1, 0)}};
}

Result result_of(const Case& c, bool by_heads) {
    ParameterStore store(3);
    MultiHead m(Scope(store, "m"), c.attention, c.setup);
    if (by_heads)
        m.use_heads();
    const bool self = c.setup.memory == 0;
    const Tensor x = watch(oracles::uniform({2, 6, 12}, "x")), memory = watch(oracles::uniform({2, 9, 5}, "memory"));
    const Array<int32_t> lengths = self ? Array<int32_t>{6, 4} : Array<int32_t>{9, 3};
    const Tensor y = (self ? m(x, lengths, {}) : m(x, m.prepare(memory, lengths), 0, {})).value;
    Gradients gradients(store);
    const Tensor cotangent = oracles::uniform(y.shape(), "cotangent");
    backward({&y, 1}, {&cotangent, 1}, gradients);
    gradients.finish();
    Result r{y.values(), gradients.of(x).values(), {}, {gradients.data(), gradients.data() + gradients.size()}};
    if (!self)
        r.dmemory = gradients.of(memory).values();
    return r;
}

}  // namespace

TEST_CASE("the fused kernel is the algebra, head by head: values and all gradients") {
    for (const Case& c : cases()) {
        CAPTURE(c.name);
        const Result fused = result_of(c, false), heads = result_of(c, true);
        check_close(fused.output, heads.output);
        check_close(fused.dx, heads.dx);
        check_close(fused.dmemory, heads.dmemory);
        check_close(fused.parameters, heads.parameters);
        CHECK(fused.output != heads.output);  // two ways were taken: they round differently
    }
}

TEST_CASE("attention maps: one a head, rows that sum to 1, and looking changes the output by rounding only") {
    for (const Case& c : cases()) {
        CAPTURE(c.name);
        if (c.setup.memory != 0)
            continue;
        ParameterStore store(3);
        const MultiHead m(Scope(store, "m"), c.attention, c.setup);
        const Tensor x = oracles::uniform({2, 6, 12}, "x");
        const Array<int32_t> lengths = {6, 4};
        const Output looked = m(x, lengths, Pass({}, Keep::maps));
        check_close(looked.value.values(), m(x, lengths, {}).value.values());
        REQUIRE(looked.seen.size() == 3);
        CHECK(site_of(m.sites(), looked.seen[2]).path == "m.heads.2");
        for (const Seen& map : looked.seen)
            for (int64_t row = 0; row < 12; ++row) {
                double sum = 0;
                for (int64_t s = 0; s < 6; ++s) sum += static_cast<double>(map.weights.data()[row * 6 + s]);
                CHECK(sum == doctest::Approx(1));
            }
    }
}

TEST_CASE("memory of a training step grows with the length where the kernel is taken, by heads with its square") {
    const auto peak = [](int64_t length, bool by_heads) {
        ParameterStore store(3);
        BlockAttentionSetup setup;
        setup.width = 16;
        setup.heads = 2;
        Selection causal = transformer_attention("causal");
        MultiHead m(Scope(store, "m"), factors_of(causal), setup);
        if (by_heads)
            m.use_heads();
        Gradients gradients(store);
        const Array<int32_t> lengths = {static_cast<int32_t>(length)};
        const Tensor x = watch(oracles::uniform({1, length, 16}, "x"));
        const std::size_t before = memory::statistics().in_use;
        memory::reset_peak();
        const Tensor y = m(x, lengths, {}).value;
        const Tensor cotangent = Tensor::full(y.shape(), 1);
        backward({&y, 1}, {&cotangent, 1}, gradients);
        return static_cast<double>(memory::statistics().peak_in_use - before);
    };
    const double fused = peak(1024, false) / peak(512, false), heads = peak(1024, true) / peak(512, true);
    CHECK(fused > 1);
    CHECK(fused < 2.05);
    CHECK(heads > 3.5);
}

TEST_CASE("as many key heads as heads, all equal, is one key head") {
    const Case one = cases()[2];
    Case all = one;
    all.setup.key_heads = 3;
    ParameterStore a(3), b(3);
    const MultiHead shared(Scope(a, "m"), one.attention, one.setup), own(Scope(b, "m"), all.attention, all.setup);
    // qkv [12, (3 + 2) 4] to [12, (3 + 6) 4]: the key and the value three times.
    const auto repeat = [&](const char* name, int64_t rows) {
        const real* from = a.values(*a.find(name));
        real* to = b.values(*b.find(name));
        for (int64_t r = 0; r < rows; ++r)
            for (int64_t column = 0; column < 36; ++column) {
                const int64_t block = column / 4, source = block < 3 ? block : block < 6 ? 3 : 4;
                to[r * 36 + column] = from[r * 20 + source * 4 + column % 4];
            }
    };
    repeat("m.qkv.weight", 12);
    repeat("m.qkv.bias", 1);
    for (const char* name : {"m.out.weight", "m.out.bias"})
        std::copy_n(a.values(*a.find(name)), a.find(name)->shape.size(), b.values(*b.find(name)));
    const Tensor x = oracles::uniform({2, 6, 12}, "x");
    const Array<int32_t> lengths = {6, 4};
    check_close(shared(x, lengths, {}).value.values(), own(x, lengths, {}).value.values());
}

TEST_CASE("without positions, permuting what is attended to permutes nothing: equivariance") {
    const Case global = cases()[1];
    ParameterStore store(3);
    const MultiHead m(Scope(store, "m"), global.attention, global.setup);
    const Tensor x = oracles::uniform({1, 6, 12}, "x");
    const int order[] = {4, 2, 0, 5, 1, 3};
    Tensor permuted = Tensor::empty(x.shape());
    for (int64_t t = 0; t < 6; ++t) std::copy_n(x.data() + order[t] * 12, 12, permuted.writable() + t * 12);
    const Array<int32_t> lengths = {6};
    const Tensor y = m(x, lengths, {}).value, z = m(permuted, lengths, {}).value;
    for (int64_t t = 0; t < 6; ++t) check_close({z.data() + t * 12, 12}, {y.data() + order[t] * 12, 12});
}

TEST_SUITE_END();

}  // namespace multi_head_test_both
