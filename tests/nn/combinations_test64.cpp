/// What must hold for every legal combination of the attention algebra, besides its gradients (algebra_test64.cpp).
#include <doctest/doctest.h>

#include <cmath>

#include "core/engine.h"
#include "core/ops.h"
#include "tests/nn/combinations.h"
#include "tests/oracles/gradient_check.h"

namespace combinations_test64 {

using namespace attend;
using namespace attend::combinations;

TEST_SUITE_BEGIN("algebra");

namespace {

const Array<int32_t> lengths = {5, 3};

struct Subject {
    ParameterStore store{11};
    Attention attention;
    const Combination& combination;
    Tensor query = oracles::uniform({2, queries, width}, "query"), memory = oracles::uniform({2, sources, width}, "memory");

    explicit Subject(const Combination& c) : attention(c.build(store)), combination(c) {}
    Played play(const Tensor& q, const Tensor& m, const Array<int32_t>& n = lengths, int64_t first = 1) const {
        const NoGrad off;
        return combinations::play(attention, combination, q, m, n, first, {});
    }
};

double difference(const Tensor& a, const Tensor& b, int64_t columns) {
    double worst = 0;
    for (int64_t r = 0; r < a.size() / a.shape().columns(); ++r)
        for (int64_t c = 0; c < columns; ++c) {
            const double d = std::abs(a.data()[r * a.shape().columns() + c] - b.data()[r * b.shape().columns() + c]);
            worst = d <= worst ? worst : d;  // NaN counts
        }
    return worst;
}

// No position outside of the window or the length has a weight, no weight is infinite, and those of a distribution sum to 1
// where anything is seen.
void check_weights(const Subject& s) {
    const Played p = s.play(s.query, s.memory);
    for (int64_t b = 0; b < 2; ++b)
        for (int64_t t = 0; t < queries; ++t) {
            double sum = 0;
            bool sees_any = false;
            for (int64_t k = 0; k < sources; ++k) {
                const double w = p.weights.data()[(b * queries + t) * sources + k];
                const int64_t own = (s.combination.kind.aligned_positions ? 1 : 0) + t;
                const bool sees = k < lengths[static_cast<std::size_t>(b)] && s.attention.window->sees(own, k);
                CHECK((sees || w == 0));
                CHECK(std::isfinite(w));
                sees_any = sees_any || sees;
                sum += w;
            }
            if (s.attention.align->is_distribution() && !s.attention.window->after_align())
                CHECK(sum == doctest::Approx(sees_any ? 1 : 0));
        }
}

// Rows with nothing to read read zeros, without a gradient.
void check_masked(const Subject& s) {
    const Array<int32_t> none = {0, 4};
    const Tensor query = watch(s.query), memory = watch(s.memory);
    const Played p = combinations::play(s.attention, s.combination, query, memory, none, 1, {});
    for (int64_t i = 0; i < queries * width; ++i) CHECK(p.contexts.data()[i] == 0);
    Gradients gradients(s.store);
    const Tensor cotangent = oracles::uniform(p.contexts.shape(), "cotangent");
    backward({&p.contexts, 1}, {&cotangent, 1}, gradients);
    const Tensor dquery = gradients.of(query), dmemory = gradients.of(memory);
    for (int64_t i = 0; i < queries * width; ++i) CHECK(dquery.data()[i] == 0);
    for (int64_t i = 0; i < sources * width; ++i) CHECK(dmemory.data()[i] == 0);
    for (int64_t i = 0; i < dmemory.size(); ++i) CHECK(std::isfinite(dmemory.data()[i]));
}

// Columns of padding, whatever they hold, change nothing.
void check_padding(const Subject& s) {
    const Tensor more = concat({s.memory, oracles::uniform({2, 2, width}, "padding", 5, 9)}, 1);
    const Played plain = s.play(s.query, s.memory), padded = s.play(s.query, more);
    CHECK(difference(plain.contexts, padded.contexts, width) <= 1e-12);
    CHECK(difference(plain.weights, padded.weights, sources) <= 1e-12);
}

// Where no later position may be seen, none moves an earlier query's context: bit for bit.
void check_causality(const Subject& s) {
    if (!s.attention.window->is_causal())
        return;
    Tensor other = Tensor::of(s.memory.shape(), s.memory.values());
    for (int64_t b = 0; b < 2; ++b)
        for (int64_t i = 2 * width; i < sources * width; ++i) other.writable()[b * sources * width + i] += 3;
    const Played plain = s.play(s.query, s.memory), changed = s.play(s.query, other);  // the first query stands at position 1
    for (int64_t b = 0; b < 2; ++b)
        for (int64_t i = 0; i < width; ++i)
            CHECK(plain.contexts.data()[b * queries * width + i] == changed.contexts.data()[b * queries * width + i]);
}

// Queries of a decoder one by one, with the keys up to their own, give what all at once do.
void check_cached(const Subject& s) {
    if (!s.combination.kind.parallel || !s.combination.kind.aligned_positions || !s.attention.window->is_causal())
        return;
    const Array<int32_t> full = {4, 4};
    const Tensor memory = slice(s.memory, 1, 0, 4);
    const Played whole = s.play(s.query, memory, full);
    for (int32_t t = 0; t < queries; ++t) {
        const int32_t seen = 2 + t;
        const Played one = s.play(slice(s.query, 1, t, t + 1), slice(memory, 1, 0, seen), {seen, seen}, 1 + t);
        CHECK(difference(one.contexts, slice(whole.contexts, 1, t, t + 1), width) <= 1e-12);
    }
}

using Walk = void (*)(const std::function<void(const Combination&)>&);
int64_t check_all(Walk walk) {
    int64_t count = 0;
    walk([&](const Combination& c) {
        if (!c.legal())
            return;
        CAPTURE(c.text());
        const Subject s(c);
        check_weights(s);
        check_masked(s);
        check_padding(s);
        check_causality(s);
        check_cached(s);
        ++count;
    });
    return count;
}

}  // namespace

TEST_CASE("a sample of combinations: weights, masked rows, padding, causality and decoding step by step") {
    CHECK(check_all(for_each_of_sample) >= 200);
}

// All of them: build/release/test_nn64 --no-skip --test-suite=algebra
TEST_CASE("every legal combination: weights, masked rows, padding, causality and decoding step by step" * doctest::skip()) {
    const int64_t count = check_all(for_each);
    MESSAGE(count << " combinations");
    CHECK(count >= 1000);
}

TEST_SUITE_END();

}  // namespace combinations_test64
