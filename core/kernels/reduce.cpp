#include "core/kernels/reduce.h"

#include "core/kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/reduce.cpp"
#include "hwy/foreach_target.h"
// After foreach_target.h.
#include "core/kernels/vector-inl.h"

HWY_BEFORE_NAMESPACE();
namespace attend::ATTEND_PRECISION::kernels::HWY_NAMESPACE {

real sum(const real* x, int64_t n) {
    return sum_of(n, [x](auto part, int64_t i) HWY_ATTR { return part.load(x + i); });
}

real dot(const real* a, const real* b, int64_t n) {
    return sum_of(n, [=](auto part, int64_t i) HWY_ATTR { return part.load(a + i) * part.load(b + i); });
}

real maximum(const real* x, int64_t n) {
    return max_of(n, [x](auto part, int64_t i) HWY_ATTR { return part.load(x + i); });
}

int64_t argmax(const real* x, int64_t n) { return first_equal(x, n, maximum(x, n)); }

bool all_finite(const real* x, int64_t n) {
    // x * 0 is 0 for finite x and NaN for all others, and NaN survives every addition.
    const V zero = hn::Zero(d);
    const V tested = reduce(
        n, zero, [](V a, V b) HWY_ATTR { return a + b; },
        [=](auto part, int64_t i) HWY_ATTR { return part.load(x + i) * zero; });
    return hn::AllTrue(d, tested == zero);
}

using Wide = hn::ScalableTag<double>;
using Narrow = hn::Rebind<real, Wide>;
using VW = hn::Vec<Wide>;

#if defined(ATTEND_DOUBLE)
HWY_INLINE VW widen(V v) { return v; }
#else
HWY_INLINE VW widen(hn::Vec<Narrow> v) { return hn::PromoteTo(Wide(), v); }
#endif

/// sum of f(x[i]) in double, with four accumulators.
template <class F>
HWY_INLINE double wide_sum(const real* x, int64_t n, F f) {
    constexpr Wide wide;
    constexpr Narrow narrow;
    constexpr int64_t step = static_cast<int64_t>(hn::MaxLanes(Wide()));
    VW a0 = hn::Zero(wide), a1 = a0, a2 = a0, a3 = a0;
    int64_t i = 0;
    for (; i + 4 * step <= n; i += 4 * step) {
        a0 = a0 + f(widen(hn::LoadU(narrow, x + i)));
        a1 = a1 + f(widen(hn::LoadU(narrow, x + i + step)));
        a2 = a2 + f(widen(hn::LoadU(narrow, x + i + 2 * step)));
        a3 = a3 + f(widen(hn::LoadU(narrow, x + i + 3 * step)));
    }
    for (; i + step <= n; i += step) a0 = a0 + f(widen(hn::LoadU(narrow, x + i)));
    if (i < n)
        a1 = a1 + f(widen(Partial{static_cast<std::size_t>(n - i)}.load(narrow, x + i)));  // f(0) is 0
    return hn::GetLane(hn::SumOfLanes(wide, (a0 + a1) + (a2 + a3)));
}

double sum_double(const real* x, int64_t n) {
    return wide_sum(x, n, [](VW v) HWY_ATTR { return v; });
}

double sum_of_squares(const real* x, int64_t n) {
    return wide_sum(x, n, [](VW v) HWY_ATTR { return v * v; });
}

void column_sums(const real* x, int64_t rows, int64_t columns, int64_t stride, Destination y) {
    if (y.data == nullptr)
        return;
    if (rows <= 0)
        write_zero(y, columns);
    // Four rows at a time: x is read front to back, and y stays in the first cache.
    for (int64_t i = 0; i < rows; i += 4) {
        const real* p = x + i * stride;
        const Destination into = {y.data, i == 0 ? y.write : Write::add};
        if (i + 4 <= rows) {
            write(into, columns, [=](auto part, int64_t j) HWY_ATTR {
                return (part.load(p + j) + part.load(p + stride + j)) +
                       (part.load(p + 2 * stride + j) + part.load(p + 3 * stride + j));
            });
        } else {
            write(into, columns, [=](auto part, int64_t j) HWY_ATTR {
                V v = part.load(p + j);
                for (int64_t k = 1; k < rows - i; ++k) v = v + part.load(p + k * stride + j);
                return v;
            });
        }
    }
}

}  // namespace attend::ATTEND_PRECISION::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace attend::ATTEND_PRECISION::kernels {

ATTEND_KERNEL(sum);
ATTEND_KERNEL(sum_double);
ATTEND_KERNEL(sum_of_squares);
ATTEND_KERNEL(maximum);
ATTEND_KERNEL(all_finite);
ATTEND_KERNEL(column_sums);
ATTEND_KERNEL(dot);
ATTEND_KERNEL(argmax);

}  // namespace attend::ATTEND_PRECISION::kernels
#endif
