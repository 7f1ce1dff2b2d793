#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>

#include "core/kernels/fused_attention.h"
#include "core/ops.h"
#include "tests/core/kernels_support.h"
#include "tests/oracles/composites.h"
#include "tests/oracles/gradient_check.h"

namespace kernels_fused_attention_test_both {

using namespace attend;
using namespace attend::oracles;

namespace {

using Cut = std::function<Range(int64_t t, int64_t keys)>;

Ranges ranges_of(int64_t batch, int64_t queries, int64_t keys, const Cut& cut) {
    Ranges all;
    for (int64_t b = 0; b < batch; ++b)
        for (int64_t t = 0; t < queries; ++t) all.push_back(cut(t, keys));
    return all;
}
Range causal(int64_t t, int64_t keys) { return {0, static_cast<int32_t>(std::min(t + 1, keys))}; }
// Some queries see nothing, some one key, windows slide over tile borders and end at the last key.
Range window(int64_t t, int64_t keys) {
    const int64_t end = std::min(keys, t * 7 % 5 == 0 ? t / 2 : t + 9);
    return {static_cast<int32_t>(std::max<int64_t>(0, end - t % 70)), static_cast<int32_t>(end)};
}

FusedAttentionOptions heads(int64_t query_heads, int64_t key_heads) {
    FusedAttentionOptions o;
    o.heads = query_heads;
    o.key_heads = key_heads;
    return o;
}

struct Result {
    Tensor y;
    std::vector<Tensor> gradients;
};
Result differentiate(const std::vector<Tensor>& values, const std::function<Tensor(Inputs)>& f) {
    std::vector<Tensor> leaves;
    for (const Tensor& x : values) leaves.push_back(watch(x));
    Result r{f(leaves), {}};
    const Tensor cotangent = uniform(r.y.shape(), "attention.cotangent");
    Gradients sink;
    backward({&r.y, 1}, {&cotangent, 1}, sink);
    for (const Tensor& leaf : leaves) r.gradients.push_back(sink.of(leaf));
    return r;
}

// The largest difference, over what is compared and 1.
double distance(const Tensor& a, const Tensor& b) {
    REQUIRE(a.shape() == b.shape());
    double worst = 0;
    for (int64_t i = 0; i < a.size(); ++i) {
        const auto x = static_cast<double>(a.data()[i]), y = static_cast<double>(b.data()[i]);
        worst = std::isfinite(x) ? std::max(worst, std::abs(x - y) / (1 + std::abs(y))) : 1e300;
    }
    return worst;
}
void check_same(const Result& fused, const Result& composite) {
    constexpr double tolerance = sizeof(real) == 8 ? 1e-12 : 1e-5;
    CHECK(distance(fused.y, composite.y) < tolerance);
    for (std::size_t i = 0; i < fused.gradients.size(); ++i) {
        CAPTURE(i);
        CHECK(distance(fused.gradients[i], composite.gradients[i]) < tolerance);
    }
}

// A call of one head of 8 columns over as many queries as keys: what its working memory depends on.
kernels::Attention sized(int64_t length, const Ranges& ranges, int64_t heads = 1) {
    kernels::Attention call;
    call.batch = call.key_heads = 1;
    call.heads = heads;
    call.queries = call.keys = length;
    call.head_size = 8;
    call.ranges = first_of(ranges);
    return call;
}
// The query's own position and the 69 before it; of every 200 queries the last 70 see nothing.
Range sliding_with_gaps(int64_t t, int64_t) {
    return t % 200 >= 130 ? Range{} : Range{static_cast<int32_t>(std::max<int64_t>(0, t - 69)), static_cast<int32_t>(t + 1)};
}

bool same_bits(const real* a, const real* b, int64_t n) {
    return std::memcmp(a, b, static_cast<std::size_t>(n) * sizeof(real)) == 0;
}

}  // namespace

TEST_SUITE("attention") {
    TEST_CASE("self_attention equals its composite at lengths around tile borders, on every instruction set") {
        for (const int64_t length : {1, 2, 15, 16, 17, 63, 64, 65, 127, 128, 129, 130, 200}) {
            CAPTURE(length);
            const FusedAttentionOptions o = heads(2, 1);
            const Tensor qkv = uniform({2, length, 4 * 5}, "qkv", -2, 2);
            const std::pair<const char*, Ranges> kinds[] = {{"all", {}},
                                                            {"causal", ranges_of(2, length, length, causal)},
                                                            {"windows", ranges_of(2, length, length, window)}};
            for (const auto& [name, ranges] : kinds) {
                CAPTURE(name);
                const Result truth =
                    differentiate({qkv}, [&](Inputs in) { return self_attention_composite(in[0], o, ranges); });
                kernel_test::each_target([&] {
                    check_same(differentiate({qkv}, [&](Inputs in) { return self_attention(in[0], o, ranges); }), truth);
                });
            }
        }
    }

    TEST_CASE("blocks of keys that a window has left make room for others") {
        // The windows of each second row move back once, so all of its keys stay.
        const auto returning = [](int64_t t, int64_t keys) { return sliding_with_gaps(t < 300 ? t : t - 250, keys); };
        for (const auto& [query_heads, key_heads] : {std::pair{2, 2}, std::pair{2, 1}})
            for (const int64_t length : {449, 640}) {
                CAPTURE(length);
                const FusedAttentionOptions o = heads(query_heads, key_heads);
                const Tensor qkv = uniform({2, length, (query_heads + 2 * key_heads) * 5}, "qkv", -2, 2);
                Ranges returns = ranges_of(1, length, length, sliding_with_gaps);
                for (const Range& r : ranges_of(1, length, length, returning)) returns.push_back(r);
                for (const Ranges& ranges : {ranges_of(2, length, length, sliding_with_gaps), returns}) {
                    const Result truth =
                        differentiate({qkv}, [&](Inputs in) { return self_attention_composite(in[0], o, ranges); });
                    kernel_test::each_target([&] {
                        check_same(differentiate({qkv}, [&](Inputs in) { return self_attention(in[0], o, ranges); }), truth);
                    });
                }
            }
        for (const int64_t width : {kernels::attention_tile, kernels::attention_block}) {
            const auto slots = [&](int64_t length, const Cut& cut, int64_t query_heads = 1) {
                const Ranges ranges = ranges_of(1, length, length, cut);
                return kernels::attention_slots(sized(length, ranges, query_heads), width);
            };
            CHECK(slots(640, sliding_with_gaps) == 2 + (width == kernels::attention_tile));
            CHECK(slots(6400, sliding_with_gaps) == slots(640, sliding_with_gaps));
            CHECK(slots(640, returning) == 640 / width);
            CHECK(slots(640, causal) == 640 / width);
            CHECK(slots(640, sliding_with_gaps, 2) == 640 / width);
            CHECK(kernels::attention_slots(sized(640, {}), width) == 640 / width);
        }
    }

    TEST_CASE("every head size, with alibi and a scale") {
        for (int64_t size = 1; size <= 70; size = size < 34 ? size + 1 : size + 3) {
            CAPTURE(size);
            FusedAttentionOptions o = heads(2, 2);
            o.alibi = {real(0.25), real(0.0625)};
            o.scale = real(0.3);
            o.first_position = 4;
            const Tensor q = uniform({1, 9, 2 * size}, "q", -1, 1), kv = uniform({1, 13, 4 * size}, "kv", -1, 1);
            const Ranges ranges = ranges_of(1, 9, 13, [](int64_t t, int64_t) { return causal(t + 4, 13); });
            const Result truth =
                differentiate({q, kv}, [&](Inputs in) { return cross_attention_composite(in[0], in[1], o, ranges); });
            kernel_test::each_target([&] {
                check_same(differentiate({q, kv}, [&](Inputs in) { return cross_attention(in[0], in[1], o, ranges); }), truth);
            });
        }
    }

    TEST_CASE("cross_attention equals its composite where queries and keys differ in number") {
        const std::pair<int64_t, int64_t> sizes[] = {{1, 200}, {200, 1}, {3, 65}, {65, 3}, {70, 140}, {130, 64}};
        for (const auto& [queries, keys] : sizes) {
            CAPTURE(queries);
            CAPTURE(keys);
            const FusedAttentionOptions o = heads(4, 2);
            const Tensor q = uniform({2, queries, 4 * 6}, "q", -2, 2), kv = uniform({2, keys, 4 * 6}, "kv", -2, 2);
            for (const Ranges& ranges : {Ranges{}, ranges_of(2, queries, keys, window)}) {
                const Result truth =
                    differentiate({q, kv}, [&](Inputs in) { return cross_attention_composite(in[0], in[1], o, ranges); });
                check_same(differentiate({q, kv}, [&](Inputs in) { return cross_attention(in[0], in[1], o, ranges); }), truth);
            }
        }
    }

    TEST_CASE("few queries, as when a text is continued, equal the composite too") {
        for (const int64_t queries : {1, 2, 3})
            for (const int64_t keys : {1, 3, 4, 18, 130})
                for (const int64_t size : {1, 16, 33, 70}) {
                    CAPTURE(queries);
                    CAPTURE(keys);
                    CAPTURE(size);
                    FusedAttentionOptions o = heads(2, 1);
                    o.alibi = {real(0.5), real(-0.125)};
                    o.first_position = keys - 1;
                    const Tensor q = uniform({2, queries, 2 * size}, "q"), kv = uniform({2, keys, 2 * size}, "kv");
                    const Ranges ranges = ranges_of(2, queries, keys, [&](int64_t t, int64_t n) {
                        return causal(std::max<int64_t>(-1, t + n - queries / 2 - 1), n);
                    });
                    const Result truth =
                        differentiate({q, kv}, [&](Inputs in) { return cross_attention_composite(in[0], in[1], o, ranges); });
                    kernel_test::each_target([&] {
                        check_same(differentiate({q, kv}, [&](Inputs in) { return cross_attention(in[0], in[1], o, ranges); }),
                                   truth);
                    });
                }
    }

    TEST_CASE("the future changes no bit of what came before") {
        constexpr int64_t length = 150, columns = 3 * 2 * 8;
        const Ranges ranges = ranges_of(1, length, length, causal);
        const Tensor before = uniform({1, length, columns}, "now", -3, 3);
        const Tensor y = self_attention(before, heads(2, 2), ranges);
        for (const int64_t from : {1, 7, 8, 63, 64, 65, 100, 149}) {
            CAPTURE(from);
            const Tensor other = uniform({1, length, columns}, "future", -30, 30);
            Tensor changed = Tensor::of(before.shape(), before.values());
            std::copy_n(other.data() + from * columns, (length - from) * columns, changed.writable() + from * columns);
            const Tensor z = self_attention(changed, heads(2, 2), ranges);
            CHECK(same_bits(y.data(), z.data(), from * 16));
            CHECK_FALSE(same_bits(y.data() + from * 16, z.data() + from * 16, 16));
        }
    }

    TEST_CASE("padding changes nothing but rounding, and has no gradient") {
        const int64_t lengths[] = {70, 130, 1};
        for (const int64_t length : lengths) {
            CAPTURE(length);
            const Tensor x = uniform({1, length, 24}, "padded", -2, 2);
            Tensor longer = uniform({1, 140, 24}, "behind", -9, 9);
            std::copy_n(x.data(), x.size(), longer.writable());
            const Ranges ranges = ranges_of(1, 140, 140, [&](int64_t t, int64_t) {
                return t < length ? Range{0, static_cast<int32_t>(length)} : Range{};
            });
            const Result full = differentiate({x}, [](Inputs in) { return self_attention(in[0], heads(2, 2)); });
            const Tensor leaf = watch(longer), y = self_attention(leaf, heads(2, 2), ranges);
            CHECK(distance(y.reshape({140, 8}).rows(0, length).detach(), full.y.reshape({length, 8}).detach()) < 1e-5);
            Tensor cotangent = Tensor::full(y.shape(), 1);
            const Tensor given = uniform(full.y.shape(), "attention.cotangent");
            std::copy_n(given.data(), given.size(), cotangent.writable());
            Gradients sink;
            backward({&y, 1}, {&cotangent, 1}, sink);
            const Tensor dx = sink.of(leaf).reshape({140, 24});
            CHECK(distance(dx.rows(0, length), full.gradients[0].reshape({length, 24})) < 1e-5);
            for (int64_t i = 0; i < (140 - length) * 24; ++i) {
                CHECK(dx.data()[length * 24 + i] == 0);
                if (i < (140 - length) * 8)
                    CHECK(y.data()[length * 8 + i] == 0);
            }
        }
    }

    TEST_CASE("grouped heads equal repeated ones") {
        constexpr int64_t length = 70, size = 4;
        const Tensor q = uniform({2, length, 6 * size}, "q"), kv = uniform({2, length, 2 * 2 * size}, "kv");
        std::vector<Tensor> repeated;
        for (int64_t part = 0; part < 2; ++part)
            for (int64_t head = 0; head < 6; ++head) {
                const int64_t at = (part * 2 + head / 3) * size;
                repeated.push_back(slice(kv, 2, at, at + size));
            }
        const Ranges ranges = ranges_of(2, length, length, causal);
        const Tensor all = cross_attention(q, concat(repeated, 2), heads(6, 6), ranges);
        const Tensor shared = cross_attention(q, kv, heads(6, 2), ranges);
        CHECK(same_bits(shared.data(), all.data(), all.size()));
    }

    TEST_CASE("memory is linear in the length") {
        FusedAttentionOptions o = heads(2, 2);
        constexpr int64_t length = 2048;
        const Ranges ranges = ranges_of(1, length, length, causal);
        const Tensor qkv = watch(uniform({1, length, 3 * 2 * 8}, "long"));
        const std::size_t before = memory::statistics().in_use;
        memory::reset_peak();
        const Tensor y = self_attention(qkv, o, ranges);
        const std::size_t kept = memory::statistics().in_use - before;
        Gradients sink;
        const Tensor cotangent = Tensor::full(y.shape(), 1);
        backward({&y, 1}, {&cotangent, 1}, sink);
        const std::size_t peak = memory::statistics().peak_in_use - before;
        CHECK(kernels::attention_workspace(sized(2 * length, {})) < 2 * kernels::attention_workspace(sized(length, {})));
        CHECK(kernels::attention_backward_workspace(sized(2 * length, {})) <
              2 * kernels::attention_backward_workspace(sized(length, {})));
        const std::size_t row = length * sizeof(real);
        CHECK(kept >= static_cast<std::size_t>(y.size()) * sizeof(real));
        CHECK(kept < 32 * row);
        CHECK(peak < 256 * row);  // all weights of one head alone would be 2048 rows
    }
}

TEST_SUITE("attention dropout") {
    // Values are columns of the identity, so that the output holds the weights.
    Tensor weights(int64_t first_row, int64_t batch, int64_t queries, int64_t keys, real probability) {
        FusedAttentionOptions o = heads(2, 2);
        o.scale = real(1e-6);  // nearly uniform weights
        o.dropout = probability;
        o.draws = {stream_key(5, "weights"), 7, 2, 0, first_row};
        Tensor kv = Tensor::zeros({batch, keys, 4 * keys});
        for (int64_t b = 0; b < batch; ++b)
            for (int64_t s = 0; s < keys; ++s)
                for (int64_t head = 0; head < 2; ++head) kv.writable()[(b * keys + s) * 4 * keys + (2 + head) * keys + s] = 1;
        return cross_attention(Tensor::zeros({batch, queries, 2 * keys}), kv, o);
    }

    TEST_CASE("weights are dropped with the probability, the rest scaled, and heads, queries and examples differ") {
        constexpr int64_t queries = 70, keys = 90;
        const Tensor w = weights(0, 2, queries, keys, real(0.25));
        int64_t dropped = 0;
        for (const real v : w.values()) {
            dropped += v == 0 ? 1 : 0;
            if (v != 0)
                CHECK(static_cast<double>(v) == doctest::Approx(1 / 0.75 / keys).epsilon(1e-5));
        }
        const double n = static_cast<double>(w.size());
        CHECK(std::abs(static_cast<double>(dropped) - 0.25 * n) < 5 * std::sqrt(n * 0.25 * 0.75));
        const real* x = w.data();
        CHECK_FALSE(same_bits(x, x + keys, keys));                // two heads
        CHECK_FALSE(same_bits(x, x + 2 * keys, keys));            // two queries
        CHECK_FALSE(same_bits(x, x + queries * 2 * keys, keys));  // two examples
        CHECK(
            same_bits(weights(1, 1, queries, keys, real(0.25)).data(), x + queries * 2 * keys, queries * 2 * keys));  // shards
    }

    TEST_CASE("what is dropped depends neither on the count of queries and keys nor on the instruction set") {
        const Tensor few = weights(0, 1, 3, 5, real(0.5)), many = weights(0, 1, 67, 70, real(0.5));
        kernel_test::each_target([&] {
            const Tensor again = weights(0, 1, 67, 70, real(0.5));
            for (int64_t i = 0; i < many.size(); ++i) CHECK((again.data()[i] == 0) == (many.data()[i] == 0));
        });
        int64_t kept = 0;
        for (int64_t t = 0; t < 3; ++t)
            for (int64_t head = 0; head < 2; ++head)
                for (int64_t s = 0; s < 5; ++s) {
                    const bool here = few.data()[(t * 2 + head) * 5 + s] != 0;
                    kept += here ? 1 : 0;
                    CHECK(here == (many.data()[(t * 2 + head) * 70 + s] != 0));
                }
        CHECK(kept > 5);
        CHECK(kept < 25);
    }
}

TEST_SUITE("attention errors") {
    TEST_CASE("what does not fit is refused with both numbers") {
        const auto message = [](const std::function<void()>& f) {
            try {
                f();
            } catch (const Error& e) {
                return std::string(e.what());
            }
            return std::string("nothing thrown");
        };
        const auto t = [](std::initializer_list<int64_t> sizes) { return Tensor::full(Shape(sizes), 1); };
        const auto with = [](auto change) {
            FusedAttentionOptions o = heads(2, 2);
            change(o);
            return o;
        };
        const Tensor qkv = t({2, 3, 12});
        CHECK(message([&] { self_attention(t({3, 12}), {}); }) == "self_attention: three axes are needed: qkv [3, 12], rank 2");
        CHECK(message([&] {
                  self_attention(t({2, 3, 13}), heads(2, 2));
              }) ==
              "self_attention: columns do not divide into 2 heads of queries, 2 of keys and 2 of values: qkv [2, 3, 13], 13 "
              "columns");
        CHECK(message([&] { self_attention(qkv, heads(3, 2)); }) ==
              "self_attention: heads must be a multiple of key heads: heads 3, key heads 2");
        CHECK(message([&] { self_attention(qkv, heads(0, 0)); }) ==
              "self_attention: heads must be a multiple of key heads: heads 0, key heads 0");
        CHECK(message([&] { self_attention(qkv, heads(2, 2), Ranges(5)); }) ==
              "self_attention: one range a row: 5 ranges, 6 rows");
        CHECK(message([&] {
                  self_attention(qkv, heads(2, 2), Ranges(6, {1, 4}));
              }) == "self_attention: range leaves the axis: 1 to 4, keys and values [2, 3, 12]");
        CHECK(message([&] { self_attention(qkv, with([](auto& o) { o.alibi = {1}; })); }) ==
              "self_attention: one slope a head: 1 slopes, 2 heads");
        CHECK(message([&] { self_attention(qkv, with([](auto& o) { o.dropout = 1; })); }) ==
              "self_attention: dropout out of range: dropout 1, at least 0 and below 1");
        CHECK(message([&] { self_attention(qkv, with([](auto& o) { o.scale = NAN; })); }) ==
              "self_attention: scale must be finite: scale nan, heads 2");
        CHECK(message([&] {
                  self_attention(t({1, 65537, 6}), with([](auto& o) { o.dropout = real(0.5); }));
              }) ==
              "self_attention: too long for dropout of weights: 65537 queries of at most 65536, 65537 keys of at most 262144");
        CHECK(message([&] {
                  cross_attention(t({2, 3, 4}), t({1, 3, 8}), heads(2, 2));
              }) == "cross_attention: shapes do not fit: q [2, 3, 4], kv [1, 3, 8]");
        CHECK(message([&] {
                  cross_attention(t({2, 3, 5}), t({2, 3, 8}), heads(2, 2));
              }) == "cross_attention: columns do not divide into heads: q [2, 3, 5], 2 heads");
        CHECK(message([&] {
                  cross_attention(t({2, 3, 4}), t({2, 3, 6}), heads(2, 2));
              }) ==
              "cross_attention: head sizes differ: q [2, 3, 4] has 2 heads of 2, kv [2, 3, 6] has keys and values of 2 heads");
    }
}

TEST_CASE("attention_backward by the formulas as they stand: set, added to, and not wanted") {
    constexpr int64_t queries = 5, keys = 7, size = 3;
    const Tensor q = uniform({queries, size}, "q"), k = uniform({keys, size}, "k"), v = uniform({keys, size}, "v"),
                 dy = uniform({queries, size}, "dy");
    kernels::Attention call;
    call.batch = call.heads = call.key_heads = 1;
    call.queries = queries;
    call.keys = keys;
    call.head_size = size;
    call.q = q.data();
    call.k = k.data();
    call.v = v.data();
    call.q_stride = call.kv_stride = size;
    call.scale = real(0.7);
    CHECK(kernels::attention_columns(size) % (64 / static_cast<int64_t>(sizeof(real))) == 0);
    CHECK(kernels::attention_columns(size) >= size);
    Tensor y = Tensor::empty({queries, size}), log_sums = Tensor::empty({queries});
    Tensor workspace =
        Tensor::empty({std::max(kernels::attention_workspace(call), kernels::attention_backward_workspace(call))});
    kernels::attention(call, y.writable(), log_sums.writable(), workspace.writable());
    // In double: p, then dv = p^T dy, dp = dy v^T, de = p (dp - sum p dp), dq = scale de k, dk =
    // scale de^T q.
    const auto at = [](const Tensor& x, int64_t i, int64_t j) { return static_cast<double>(x.data()[i * size + j]); };
    double dq[queries][size] = {}, dk[keys][size] = {}, dv[keys][size] = {};
    for (int64_t t = 0; t < queries; ++t) {
        double p[keys], dp[keys], sum = 0, mean = 0;
        for (int64_t s = 0; s < keys; ++s) {
            double e = 0;
            for (int64_t j = 0; j < size; ++j) e += at(q, t, j) * at(k, s, j);
            sum += p[s] = std::exp(0.7 * e);
        }
        for (int64_t s = 0; s < keys; ++s) {
            p[s] /= sum;
            dp[s] = 0;
            for (int64_t j = 0; j < size; ++j) dp[s] += at(dy, t, j) * at(v, s, j);
            mean += p[s] * dp[s];
        }
        for (int64_t s = 0; s < keys; ++s)
            for (int64_t j = 0; j < size; ++j) {
                dv[s][j] += p[s] * at(dy, t, j);
                dq[t][j] += 0.7 * p[s] * (dp[s] - mean) * at(k, s, j);
                dk[s][j] += 0.7 * p[s] * (dp[s] - mean) * at(q, t, j);
            }
    }
    for (const Write write : {Write::set, Write::add})
        for (int wanted = 1; wanted < 8; ++wanted) {
            CAPTURE(wanted);
            Tensor outputs[] = {Tensor::full({queries, size}, 2), Tensor::full({keys, size}, 2), Tensor::full({keys, size}, 2)};
            Destination to[3];
            for (int i = 0; i < 3; ++i)
                if ((wanted >> i & 1) != 0)
                    to[i] = {outputs[i].writable(), write};
            kernels::attention_backward(call, y.data(), log_sums.data(), dy.data(), to[0], to[1], to[2], workspace.writable());
            const double* expected[] = {&dq[0][0], &dk[0][0], &dv[0][0]};
            for (int i = 0; i < 3; ++i)
                for (int64_t e = 0; e < outputs[i].size(); ++e) {
                    const double before = 2, gradient = expected[i][e];
                    const double should = to[i].data == nullptr ? before : write == Write::add ? before + gradient : gradient;
                    CHECK(static_cast<double>(outputs[i].data()[e]) == doctest::Approx(should).epsilon(1e-5));
                }
        }
}

}  // namespace kernels_fused_attention_test_both
