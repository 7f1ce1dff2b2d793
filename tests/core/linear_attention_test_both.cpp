#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include "core/ops.h"
#include "tests/core/kernels_support.h"
#include "tests/oracles/gradient_check.h"
#include "tests/oracles/linear_recurrence.h"

namespace linear_attention_test_both {

using namespace attend;
using namespace attend::oracles;

namespace {

// What a call is made of; undefined: left out.
struct Given {
    Tensor q, keys, values, alpha, beta, state;
    Array<int32_t> lengths;
    LinearAttentionOptions options;

    std::vector<Tensor> inputs() const {
        std::vector<Tensor> all;
        for (const Tensor& x : {q, keys, values, alpha, beta, state})
            if (x.defined())
                all.push_back(x);
        return all;
    }
    // The same with the inputs watched.
    Given leaves() const {
        Given g = *this;
        for (Tensor* x : {&g.q, &g.keys, &g.values, &g.alpha, &g.beta, &g.state})
            if (x->defined())
                *x = watch(*x);
        return g;
    }
    StateWrites writes() const { return {keys, values, alpha, beta}; }
    // Positions [begin, end) of every row, which are all within its length, from another state on.
    Given part(int64_t begin, int64_t end, const Tensor& from) const {
        Given g = *this;
        for (Tensor* x : {&g.q, &g.keys, &g.values, &g.alpha, &g.beta})
            if (x->defined())
                *x = slice(*x, 1, begin, end);
        g.state = from;
        return g;
    }
};

struct Kind {
    const char* name;
    double alpha_low, alpha_high, beta_low, beta_high;  // below 0: left out
    Normalise normalise = Normalise::no;
};
constexpr Kind kinds[] = {
    {"linear", -1, -1, -1, -1},        {"linear, divided", -1, -1, -1, -1, Normalise::yes},
    {"retention", 0.97, 0.97, -1, -1}, {"delta", -1, -1, 0, 1},
    {"gated delta", 0.9, 1, 0, 1},     {"alpha near 0", 0, 1e-3, 0.1, 0.9},
    {"alpha all over", 0, 1, 0, 1},    {"alpha near 1", 0.9999, 1, 0.1, 0.9},
    {"beta near 0", 0.9, 1, 0, 1e-4},  {"beta near 1", 0.99, 1, 0.9999, 1},
};

struct GivenSizes {
    int64_t batch = 2, steps = 1, heads = 2, key_heads = 1, key_size = 8, value_size = 6;
};
Given given(const Kind& kind, const GivenSizes& s) {
    Given g;
    const double low = kind.normalise == Normalise::yes ? 0.1 : -1;
    // Keys of length 1 or so, as a delta rule wants them.
    const double most = 1 / std::sqrt(static_cast<double>(s.key_size));
    g.q = uniform({s.batch, s.steps, s.heads * s.key_size}, "q", low, 1);
    g.keys = uniform({s.batch, s.steps, s.key_heads * s.key_size}, "keys", low * most, most);
    g.values = uniform({s.batch, s.steps, s.key_heads * s.value_size}, "values");
    if (kind.alpha_low >= 0)
        g.alpha = uniform({s.batch, s.steps, s.key_heads}, "alpha", kind.alpha_low, kind.alpha_high);
    if (kind.beta_low >= 0)
        g.beta = uniform({s.batch, s.steps, s.key_heads}, "beta", kind.beta_low, kind.beta_high);
    g.options = {s.heads, s.key_heads, kind.normalise};
    return g;
}
Tensor some_state(const Given& g, const GivenSizes& s) {
    const int64_t extra = g.options.normalise == Normalise::yes ? 1 : 0;
    return uniform({s.batch, s.key_heads, s.value_size + extra, s.key_size}, "state", extra ? 0.1 : -1, 1);
}

using Run = std::function<LinearAttentionResult(const Given&)>;
LinearAttentionResult by_chunks(const Given& g) { return linear_attention(g.q, g.writes(), g.state, g.lengths, g.options); }
LinearAttentionResult by_positions(const Given& g) {
    return linear_attention_recurrence(g.q, g.writes(), g.state, g.lengths, g.options);
}

// Outputs, states, then the gradients of all inputs.
std::vector<Tensor> differentiate(const Given& values, const Run& run) {
    const Given g = values.leaves();
    const LinearAttentionResult r = run(g);
    const std::vector<Tensor> outputs = {r.outputs, r.state};
    const std::vector<Tensor> cotangents = {uniform(r.outputs.shape(), "outputs"), uniform(r.state.shape(), "states")};
    Gradients sink;
    backward(outputs, cotangents, sink);
    std::vector<Tensor> all = {r.outputs, r.state};
    for (const Tensor& x : g.inputs()) all.push_back(sink.of(x));
    return all;
}

// The largest difference, over the largest element of what is compared with (at least 1).
double largest_difference(const Tensor& a, const Tensor& b) {
    REQUIRE(a.shape() == b.shape());
    double worst = 0, most = 1;
    for (int64_t i = 0; i < a.size(); ++i) {
        const auto x = static_cast<double>(a.data()[i]), y = static_cast<double>(b.data()[i]);
        worst = std::isfinite(x) ? std::max(worst, std::abs(x - y)) : 1e300;
        most = std::max(most, std::abs(y));
    }
    return worst / most;
}
constexpr double tolerance = sizeof(real) == 8 ? 1e-12 : 1e-5;
void check_all_close(const std::vector<Tensor>& a, const std::vector<Tensor>& b) {
    REQUIRE(a.size() == b.size());
    for (std::size_t i = 0; i < a.size(); ++i) {
        CAPTURE(i);
        CHECK(largest_difference(a[i], b[i]) < tolerance);
    }
}

}  // namespace

TEST_SUITE("linear attention") {
    TEST_CASE("linear_attention by chunks equals its recurrence at every edge of a chunk, for every kind") {
        for (const Kind& kind : kinds)
            for (const int64_t steps : {1, 2, 3, 7, 15, 16, 31, 32, 33, 63, 64, 65, 127, 128, 129, 200}) {
                CAPTURE(kind.name);
                CAPTURE(steps);
                const GivenSizes sizes{.steps = steps};
                Given g = given(kind, sizes);
                if (steps % 2 == 1)
                    g.state = some_state(g, sizes);
                check_all_close(differentiate(g, by_chunks), differentiate(g, by_positions));
            }
    }

    TEST_CASE("linear_attention of uneven lengths equals its recurrence, and what is beyond a length changes no bit") {
        for (const Kind& kind : kinds) {
            CAPTURE(kind.name);
            const GivenSizes sizes{.batch = 5, .steps = 140, .key_size = 5, .value_size = 7};
            Given g = given(kind, sizes);
            g.state = some_state(g, sizes);
            g.lengths = {140, 0, 64, 1, 129};
            const std::vector<Tensor> all = differentiate(g, by_chunks);
            check_all_close(all, differentiate(g, by_positions));
            for (Tensor* x : {&g.q, &g.keys, &g.values, &g.alpha, &g.beta}) {
                if (!x->defined())
                    continue;
                Tensor other = Tensor::of(x->shape(), x->values());
                const int64_t columns = x->dim(2);
                for (int64_t b = 0; b < sizes.batch; ++b)
                    for (int64_t i = g.lengths[static_cast<std::size_t>(b)] * columns; i < sizes.steps * columns; ++i)
                        other.writable()[b * sizes.steps * columns + i] = 1e30f;
                *x = other;
            }
            const std::vector<Tensor> again = differentiate(g, by_chunks);
            for (std::size_t i = 0; i < all.size(); ++i) CHECK(all[i].values() == again[i].values());
        }
    }

    TEST_CASE("linear_attention of what follows changes nothing before it") {
        for (const Kind& kind : kinds) {
            CAPTURE(kind.name);
            Given g = given(kind, {.batch = 1, .steps = 100});
            const std::vector<real> before = by_chunks(g).outputs.values();
            for (Tensor* x : {&g.q, &g.keys, &g.values, &g.alpha, &g.beta})
                if (x->defined()) {
                    Tensor other = Tensor::of(x->shape(), x->values());
                    for (int64_t i = 40 * x->dim(2); i < x->size(); ++i) other.writable()[i] *= real{0.5};
                    *x = other;
                }
            const std::vector<real> after = by_chunks(g).outputs.values();
            const auto columns = static_cast<std::ptrdiff_t>(before.size() / 100);
            CHECK(std::equal(before.begin(), before.begin() + 40 * columns, after.begin()));
            CHECK_FALSE(std::equal(before.begin() + 40 * columns, before.end(), after.begin() + 40 * columns));
        }
    }

    TEST_CASE("linear_attention in parts equals linear_attention at once, gradients too") {
        for (const Kind& kind : kinds) {
            CAPTURE(kind.name);
            const GivenSizes sizes{.steps = 150};
            Given g = given(kind, sizes);
            g.state = some_state(g, sizes);
            const Run in_parts = [](const Given& all) {
                std::vector<Tensor> outputs;
                Tensor state = all.state;
                int64_t from = 0;
                for (const int64_t to : {1, 2, 70, 71, 150}) {
                    const LinearAttentionResult r = by_chunks(all.part(from, to, state));
                    outputs.push_back(r.outputs);
                    state = r.state;
                    from = to;
                }
                return LinearAttentionResult{concat(outputs, 1), state};
            };
            check_all_close(differentiate(g, in_parts), differentiate(g, by_chunks));
        }
    }

    TEST_CASE("write_states and read_states: every query reads the last state") {
        for (const Kind& kind : kinds) {
            CAPTURE(kind.name);
            const GivenSizes sizes{.batch = 3, .steps = 130, .heads = 6, .key_heads = 3};
            Given g = given(kind, sizes);
            g.lengths = {130, 65, 0};
            const Run whole = [](const Given& x) {
                const Tensor state = write_states(x.writes(), x.state, x.lengths, x.options);
                return LinearAttentionResult{read_states(x.q, state, x.options), state};
            };
            const Run slowly = [](const Given& x) {
                const Tensor state = write_states_recurrence(x.writes(), x.state, x.lengths, x.options);
                return LinearAttentionResult{read_states_composite(x.q, state, x.options), state};
            };
            const std::vector<Tensor> fast = differentiate(g, whole);
            check_all_close(fast, differentiate(g, slowly));
            // A row of length 0 wrote nothing, and its queries read 0.
            const Tensor nothing = fast[0].row(2);
            for (const real x : nothing.values()) CHECK(x == 0);
            // The same states as where positions read, too.
            CHECK(fast[1].values() == by_chunks(g).state.values());
        }
    }

    TEST_CASE("linear_attention on every instruction set, head sizes of all kinds") {
        const std::pair<int64_t, int64_t> head_sizes[] = {{1, 1}, {3, 17}, {16, 16}, {33, 31}, {64, 64}, {70, 5}};
        for (const auto& [key_size, value_size] : head_sizes)
            for (const Kind& kind : {kinds[1], kinds[4]}) {
                CAPTURE(kind.name);
                CAPTURE(key_size);
                CAPTURE(value_size);
                const GivenSizes sizes{.batch = 1, .steps = 70, .key_size = key_size, .value_size = value_size};
                const Given g = given(kind, sizes);
                const std::vector<Tensor> slow = differentiate(g, by_positions);
                kernel_test::each_target([&] { check_all_close(differentiate(g, by_chunks), slow); });
            }
    }

    TEST_CASE("the delta rule replaces what a key held, and sums do not") {
        // Orthonormal keys, written twice with beta 1: the second value is what is read.
        const int64_t n = 4;
        Tensor keys = Tensor::zeros({1, 2 * n, n});
        for (int64_t t = 0; t < 2 * n; ++t) keys.writable()[t * n + t % n] = 1;
        const Tensor values = uniform({1, 2 * n, 3}, "values"), beta = Tensor::full({1, 2 * n, 1}, 1);
        const Tensor delta = write_states({keys, values, {}, beta}, {}, {}, {}),
                     sums = write_states({keys, values, {}, {}}, {}, {}, {});
        for (int64_t t = 0; t < n; ++t)
            for (int64_t j = 0; j < 3; ++j) {
                const real first = values.data()[t * 3 + j], second = values.data()[(n + t) * 3 + j];
                CHECK(delta.data()[j * n + t] == doctest::Approx(second).epsilon(1e-6));
                CHECK(sums.data()[j * n + t] == doctest::Approx(first + second).epsilon(1e-6));
            }
    }

    TEST_CASE("linear attention of what does not fit is refused") {
        const auto t = [](std::initializer_list<int64_t> sizes) { return Tensor::full(Shape(sizes), 1); };
        const Tensor q = t({2, 3, 8}), k = t({2, 3, 4}), v = t({2, 3, 6}), each = t({2, 3, 2}), state = t({2, 2, 3, 2});
        const int32_t lengths[] = {3, 4}, few[] = {3};
        const LinearAttentionOptions o{4, 2, Normalise::no}, divided{4, 2, Normalise::yes};
        const struct {
            const char* message;
            std::function<void()> call;
        } broken[] = {
            {"linear_attention: heads must be a multiple of key heads: heads 4, key heads 3",
             [&] {
                 linear_attention(q, {k, v, {}, {}}, {}, {}, {4, 3, Normalise::no});
             }},
            {"linear_attention: keys do not divide into heads: keys [2, 3, 5], 2 heads",
             [&] {
                 linear_attention(q, {t({2, 3, 5}), v, {}, {}}, {}, {}, o);
             }},
            {"linear_attention: values do not divide into heads: values [2, 3, 0], 2 heads",
             [&] {
                 linear_attention(q, {k, t({2, 3, 0}), {}, {}}, {}, {}, o);
             }},
            {"linear_attention: shapes do not fit: keys [2, 3, 4], values [2, 4, 6]",
             [&] {
                 linear_attention(q, {k, t({2, 4, 6}), {}, {}}, {}, {}, o);
             }},
            {"linear_attention: queries of another shape: q [2, 3, 4], keys [2, 3, 4], 4 heads",
             [&] {
                 linear_attention(k, {k, v, {}, {}}, {}, {}, o);
             }},
            {"linear_attention: one number a position and key head: alpha [2, 3, 4], keys [2, 3, 4], 2 key heads",
             [&] {
                 linear_attention(q, {k, v, k, {}}, {}, {}, o);
             }},
            {"write_states: one number a position and key head: beta [2, 3, 4], keys [2, 3, 4], 2 key heads",
             [&] {
                 write_states({k, v, each, k}, {}, {}, o);
             }},
            {"linear_attention: state of another shape: state [2, 2, 3, 2], needs [2, 2, 4, 2]",
             [&] {
                 linear_attention(q, {k, v, each, {}}, state, {}, divided);
             }},
            {"linear_attention: one length a row: 1 lengths, 2 rows",
             [&] {
                 linear_attention(q, {k, v, each, {}}, state, few, o);
             }},
            {"linear_attention: length out of range: length 4, 3 steps",
             [&] {
                 linear_attention(q, {k, v, each, {}}, state, lengths, o);
             }},
            {"read_states: queries do not divide into heads: queries [2, 3, 6], 4 heads", [&] { read_states(v, state, o); }},
            {"read_states: state of another shape: state [2, 2, 3, 2], q [2, 3, 12], 4 heads",
             [&] {
                 read_states(t({2, 3, 12}), state, o);
             }},
        };
        for (const auto& b : broken) {
            std::string message = "nothing thrown";
            try {
                b.call();
            } catch (const Error& e) {
                message = e.what();
            }
            CHECK(message == b.message);
        }
    }

    TEST_CASE("memory of linear_attention grows with the length alone") {
        const auto peak = [](int64_t steps) {
            const Given g = given(kinds[4], {.batch = 1, .steps = steps, .key_size = 16, .value_size = 16}).leaves();
            const std::size_t before = memory::statistics().in_use;
            memory::reset_peak();
            const LinearAttentionResult r = by_chunks(g);
            const Tensor cotangent = Tensor::full(r.outputs.shape(), 1);
            Gradients sink;
            backward({&r.outputs, 1}, {&cotangent, 1}, sink);
            return static_cast<double>(memory::statistics().peak_in_use - before);
        };
        const double shorter = peak(1024), longer = peak(4096);
        CHECK(longer < 4.2 * shorter);
    }
}

}  // namespace linear_attention_test_both
