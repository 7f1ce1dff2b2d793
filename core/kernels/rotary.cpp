#include "core/kernels/rotary.h"

#include "core/kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/rotary.cpp"
#include "hwy/foreach_target.h"
// After foreach_target.h.
#include "core/kernels/vector-inl.h"

HWY_BEFORE_NAMESPACE();
namespace attend::ATTEND_PRECISION::kernels::HWY_NAMESPACE {

void rotary(RotarySizes sizes, const real* x, const real* cosines, const real* sines, Turn turn, Destination y) {
    if (y.data == nullptr)
        return;
    const int64_t half = sizes.head_size / 2, turned = sizes.heads * sizes.head_size;
    const V sign = set(turn == Turn::forward ? 1 : -1);
    const auto adds = set(y.write == Write::add ? 1 : 0) > hn::Zero(d);
    for (int64_t row = 0; row < sizes.rows; ++row) {
        const int64_t angle = row % sizes.positions * half;
        for (int64_t head = 0; head < sizes.heads; ++head) {
            const int64_t first = row * sizes.columns + head * sizes.head_size;
            const real *a = x + first, *b = a + half;
            real *ya = y.data + first, *yb = ya + half;
            vectors(half, [=](auto part, int64_t i) HWY_ATTR {
                const V c = part.load(cosines + angle + i), s = sign * part.load(sines + angle + i);
                const V va = part.load(a + i), vb = part.load(b + i);
                const V before_a = hn::IfThenElseZero(adds, part.load(ya + i));
                const V before_b = hn::IfThenElseZero(adds, part.load(yb + i));
                part.store(hn::MulAdd(va, c, hn::NegMulAdd(vb, s, before_a)), ya + i);
                part.store(hn::MulAdd(va, s, hn::MulAdd(vb, c, before_b)), yb + i);
            });
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
