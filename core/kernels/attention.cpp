#include "core/kernels/attention.h"

#include <algorithm>

#include "core/kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/attention.cpp"
#include "hwy/foreach_target.h"
// After foreach_target.h.
#include "core/kernels/vector-inl.h"

HWY_BEFORE_NAMESPACE();
namespace attend::ATTEND_PRECISION::kernels::HWY_NAMESPACE {

/// The keys row `row` of the queries may see.
HWY_INLINE Range range_of(const Range* ranges, int64_t row, int64_t keys) {
    const int32_t all = static_cast<int32_t>(keys);
    if (ranges == nullptr)
        return {0, all};
    const int32_t begin = std::clamp(ranges[row].begin, 0, all);
    return {begin, std::clamp(ranges[row].end, begin, all)};
}

/// scores[i] = sum_a v_a tanh(q_a + k_ia) for `count` keys, one accumulator a key: a score's bits
/// depend on the width alone, not on which keys stand beside it. Several keys at a time hide the
/// latency of tanh.
template <int count>
HWY_INLINE void score_keys(const real* q, const real* k, const real* v, int64_t width, real* scores) {
    V sums[count];
    for (int i = 0; i < count; ++i) sums[i] = hn::Zero(d);
    vectors(width, [&](auto part, int64_t a) HWY_ATTR {
        const V va = part.load(v + a), qa = part.load(q + a);
        for (int i = 0; i < count; ++i) sums[i] = hn::MulAdd(va, tanh_core(qa + part.load(k + i * width + a)), sums[i]);
    });
    for (int i = 0; i < count; ++i) scores[i] = lane_sum(sums[i]);
}

void additive_score(ScoreSizes sizes, const real* query, const real* keys, const real* v, const Range* ranges, real* scores) {
    const int64_t width = sizes.width;
    for (int64_t row = 0; row < sizes.batch * sizes.queries; ++row) {
        const Range range = range_of(ranges, row, sizes.keys);
        const real* q = query + row * width;
        const real* k = keys + row / sizes.queries * sizes.keys * width;
        real* out = scores + row * sizes.keys;
        write_zero({out, Write::set}, range.begin);
        write_zero({out + range.end, Write::set}, sizes.keys - range.end);
        int64_t s = range.begin;
        for (; s + 4 <= range.end; s += 4) score_keys<4>(q, k + s * width, v, width, out + s);
        for (; s < range.end; ++s) score_keys<1>(q, k + s * width, v, width, out + s);
    }
}

/// The backward of `count` keys of one query: g [count] their score gradients, k and dk (null when
/// not wanted) their rows.
HWY_INLINE void score_keys_backward(int64_t count, const real* q, const real* k, const real* v, const real* g, int64_t width,
                                    Destination dq, real* dk, real* dv) {
    vectors(width, [=](auto part, int64_t a) HWY_ATTR {
        const V qa = part.load(q + a), va = part.load(v + a);
        V sum_q = hn::Zero(d), sum_v = sum_q;
        for (int64_t s = 0; s < count; ++s) {
            const V h = tanh_core(qa + part.load(k + s * width + a));
            const V gs = set(g[s]);
            const V slope = gs * hn::NegMulAdd(h, h, set(1));
            sum_q = sum_q + slope;
            sum_v = hn::MulAdd(gs, h, sum_v);
            if (dk != nullptr)
                part.store(hn::MulAdd(slope, va, part.load(dk + s * width + a)), dk + s * width + a);
        }
        if (dq.data != nullptr) {
            const V before = dq.write == Write::add ? part.load(dq.data + a) : hn::Zero(d);
            part.store(hn::MulAdd(sum_q, va, before), dq.data + a);
        }
        if (dv != nullptr)
            part.store(part.load(dv + a) + sum_v, dv + a);
    });
}

void additive_score_backward(ScoreSizes sizes, const real* query, const real* keys, const real* v, const Range* ranges,
                             const real* dscores, Destination dquery, Destination dkeys, Destination dv) {
    // Keys at a time: their sums stay in registers; more rows than this, a power of two apart,
    // would fight for the first cache.
    constexpr int64_t block = 8;
    const int64_t width = sizes.width;
    write_zero(dkeys, sizes.batch * sizes.keys * width);
    write_zero(dv, width);
    for (int64_t row = 0; row < sizes.batch * sizes.queries; ++row) {
        const Range range = range_of(ranges, row, sizes.keys);
        Destination dq = at(dquery, row * width);
        if (range.begin == range.end)
            write_zero(dq, width);
        for (int64_t s = range.begin; s < range.end; s += block) {
            const int64_t first = (row / sizes.queries * sizes.keys + s) * width;
            score_keys_backward(std::min<int64_t>(block, range.end - s), query + row * width, keys + first, v,
                                dscores + row * sizes.keys + s, width, dq, at(dkeys, first).data, dv.data);
            dq.write = Write::add;
        }
    }
}

}  // namespace attend::ATTEND_PRECISION::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace attend::ATTEND_PRECISION::kernels {

ATTEND_KERNEL(additive_score);
ATTEND_KERNEL(additive_score_backward);

}  // namespace attend::ATTEND_PRECISION::kernels
#endif
