#include "core/kernels/rotary.h"

#include "core/kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/rotary.cpp"
#include "hwy/foreach_target.h"
// After foreach_target.h.
#include "core/kernels/vector-inl.h"

HWY_BEFORE_NAMESPACE();
namespace attend::ATTEND_PRECISION::kernels::HWY_NAMESPACE {

// One head of K = 2 half elements; the pairs are its two halves.
HWY_INLINE void turn_halves(int64_t half, const real* a, const real* cosines, const real* sines, real sign, Write write,
                            real* ya) {
    const V signs = set(sign);
    const auto adds = set(write == Write::add ? 1 : 0) > hn::Zero(d);
    const real* b = a + half;
    real* yb = ya + half;
    vectors(half, [=](auto part, int64_t i) HWY_ATTR {
        const V c = part.load(cosines + i), s = signs * part.load(sines + i);
        const V va = part.load(a + i), vb = part.load(b + i);
        const V before_a = hn::IfThenElseZero(adds, part.load(ya + i));
        const V before_b = hn::IfThenElseZero(adds, part.load(yb + i));
        part.store(hn::MulAdd(va, c, hn::NegMulAdd(vb, s, before_a)), ya + i);
        part.store(hn::MulAdd(va, s, hn::MulAdd(vb, c, before_b)), yb + i);
    });
}

// The same; the pairs are neighbours. Heads of fewer pairs than a vector has lanes take the second loop.
HWY_INLINE void turn_neighbours(int64_t half, const real* x, const real* cosines, const real* sines, real sign, Write write,
                                real* y) {
    const bool adds = write == Write::add;
    int64_t i = 0;
    for (; i + lanes <= half; i += lanes) {
        const V c = hn::LoadU(d, cosines + i), s = set(sign) * hn::LoadU(d, sines + i);
        V a, b, before_a = hn::Zero(d), before_b = hn::Zero(d);
        hn::LoadInterleaved2(d, x + 2 * i, a, b);
        if (adds)
            hn::LoadInterleaved2(d, y + 2 * i, before_a, before_b);
        hn::StoreInterleaved2(hn::MulAdd(a, c, hn::NegMulAdd(b, s, before_a)), hn::MulAdd(a, s, hn::MulAdd(b, c, before_b)), d,
                              y + 2 * i);
    }
    for (; i < half; ++i) {
        const real c = cosines[i], s = sign * sines[i], a = x[2 * i], b = x[2 * i + 1];
        y[2 * i] = (adds ? y[2 * i] : 0) + a * c - b * s;
        y[2 * i + 1] = (adds ? y[2 * i + 1] : 0) + a * s + b * c;
    }
}

void rotary(RotarySizes sizes, const real* x, const real* cosines, const real* sines, Turn turn, Destination y) {
    if (y.data == nullptr)
        return;
    const int64_t half = sizes.head_size / 2, turned = sizes.heads * sizes.head_size;
    const real sign = turn == Turn::forward ? 1 : -1;
    const auto turn_head = sizes.pairs == RotaryPairs::halves ? turn_halves : turn_neighbours;
    for (int64_t row = 0; row < sizes.rows; ++row) {
        const int64_t angle = row % sizes.positions * half;
        for (int64_t head = 0; head < sizes.heads; ++head) {
            const int64_t first = row * sizes.columns + head * sizes.head_size;
            turn_head(half, x + first, cosines + angle, sines + angle, sign, y.write, y.data + first);
        }
        const int64_t rest = row * sizes.columns + turned;
        write(at(y, rest), sizes.columns - turned, [=](auto part, int64_t i) HWY_ATTR { return part.load(x + rest + i); });
    }
}

}  // namespace attend::ATTEND_PRECISION::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace attend::ATTEND_PRECISION::kernels {

ATTEND_KERNEL(rotary);

}  // namespace attend::ATTEND_PRECISION::kernels
#endif
