#include "core/kernels/entmax.h"

#include <algorithm>
#include <cmath>
#include <functional>

#include "core/kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/entmax.cpp"
#include "hwy/foreach_target.h"
// After foreach_target.h.
#include "core/kernels/ranged-inl.h"
#include "core/kernels/vector-inl.h"

HWY_BEFORE_NAMESPACE();
namespace attend::ATTEND_PRECISION::kernels::HWY_NAMESPACE {

/// y /= sum, the sum of y: a weight of 0 stays 0.
HWY_INLINE void divide_by(real sum, real* y, int64_t n) {
    const V inverse = set(real{1} / sum);
    map(y, y, n, [=](V v) HWY_ATTR { return v * inverse; });
}

/// The tau with sum max(z - tau, 0)^2 = 1, from the scores z > -1 in descending order, the first of
/// them 0. With the k largest as support tau is the smaller root of sum (z - tau)^2 = 1; the support
/// is the largest one whose scores are all above its tau.
inline real threshold15(const real* descending, int64_t n) {
    double mean = 0, spread = 0, tau = -1;  // spread: the sum of squared distances from the mean
    for (int64_t k = 1; k <= n; ++k) {
        const auto z = static_cast<double>(descending[k - 1]), away = z - mean, size = static_cast<double>(k);
        mean += away / size;
        spread += away * (z - mean);
        const double here = mean - std::sqrt(std::max(0.0, (1 - spread) / size));
        if (here > z)
            break;
        tau = here;
    }
    return static_cast<real>(tau);
}

void entmax15(const real* x, real scale, const Range* ranges, real* y, int64_t rows, int64_t columns) {
    ranged_rows(ranges, {y, Write::set}, rows, columns, [=](int64_t offset, int64_t n) HWY_ATTR {
        const real* in = x + offset;
        real* out = y + offset;
        const V half = set(scale / 2);
        const V m = set(max_of(n, [=](auto part, int64_t i) HWY_ATTR { return half * part.load(in + i); }));
        const auto z = [=](auto part, int64_t i) HWY_ATTR { return half * part.load(in + i) - m; };
        // No weight is above 1, so tau is at least -1: only the scores above it are sorted.
        write({out, Write::set}, n, z);
        int64_t above = 0;
        for (int64_t i = 0; i < n; ++i)
            if (out[i] > -1)
                out[above++] = out[i];
        std::sort(out, out + above, std::greater<>());
        const V tau = set(threshold15(out, above));
        const real sum = sum_of(n, [=](auto part, int64_t i) HWY_ATTR {
            const V root = at_least(z(part, i) - tau, hn::Zero(d));
            part.store(root * root, out + i);
            return root * root;
        });
        divide_by(sum, out, n);
    });
}

void entmax(const real* x, real alpha, real scale, const Range* ranges, real* y, int64_t rows, int64_t columns) {
    const real order = alpha - 1;
    ranged_rows(ranges, {y, Write::set}, rows, columns, [=](int64_t offset, int64_t n) HWY_ATTR {
        const real* in = x + offset;
        real* out = y + offset;
        const V s = set(scale), one = set(1), power = set(1 / order), zero = hn::Zero(d);
        const V m = set(max_of(n, [=](auto part, int64_t i) HWY_ATTR { return s * part.load(in + i); }));
        // With u = 1 + (alpha - 1) (z - mu) >= 0 and p = 1 / (alpha - 1), the norm |u|_p is convex and
        // falling in mu, and 1 at the root. So Newton's steps from 0 go right and never pass the root:
        // mu += w ln_alpha(w) / sum u^(p - 1) with w = sum u^p, ln_alpha(w) = (1 - w^(1 - alpha)) / (alpha - 1).
        real mu = 0, sum = infinity;
        for (;;) {
            const V at = set(mu);
            V slope = zero;
            const real before = sum;
            sum = sum_of(n, [&](auto part, int64_t i) HWY_ATTR {
                const V v = set(order) * (s * part.load(in + i) - m - at);
                const V weight = hn::IfThenZeroElse(v <= hn::Neg(one), exp_of_negative(power * hn::Log1p(d, v)));
                part.store(weight, out + i);
                slope = slope + part.or_else(hn::IfThenElseZero(weight > zero, weight / (one + v)), zero);
                return weight;
            });
            if (!(sum > 1 + 4 * std::numeric_limits<real>::epsilon()) || !(sum < before))
                break;
            mu -= sum * std::expm1(-order * std::log(sum)) / (order * lane_sum(slope));
        }
        divide_by(sum, out, n);
    });
}

/// entmax_backward with s = slope(y) for y > 0.
template <class Slope>
HWY_INLINE void backward_with(Slope slope, const real* y, const real* dy, real scale, const Range* ranges, Destination dx,
                              int64_t rows, int64_t columns) {
    ranged_rows(ranges, dx, rows, columns, [=](int64_t offset, int64_t n) HWY_ATTR {
        const real* g = dy + offset;
        const auto s = [=](auto part, int64_t i) HWY_ATTR {
            const V v = part.load(y + offset + i);
            return hn::IfThenElseZero(v > hn::Zero(d), slope(v));
        };
        const real size = sum_of(n, s);
        const real sum = sum_of(n, [=](auto part, int64_t i) HWY_ATTR { return s(part, i) * part.load(g + i); });
        const V mean = set(size > 0 ? sum / size : 0);
        write(at(dx, offset), n,
              [=](auto part, int64_t i) HWY_ATTR { return set(scale) * s(part, i) * (part.load(g + i) - mean); });
    });
}

void entmax_backward(const real* y, const real* dy, real alpha, real scale, const Range* ranges, Destination dx, int64_t rows,
                     int64_t columns) {
    if (alpha == real{1.5})
        return backward_with([](V v) HWY_ATTR { return hn::Sqrt(v); }, y, dy, scale, ranges, dx, rows, columns);
    const real power = 2 - alpha;
    backward_with([=](V v) HWY_ATTR { return exp_of_negative(set(power) * hn::Log(d, v)); }, y, dy, scale, ranges, dx, rows,
                  columns);
}

}  // namespace attend::ATTEND_PRECISION::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace attend::ATTEND_PRECISION::kernels {

ATTEND_KERNEL(entmax15);
ATTEND_KERNEL(entmax);
ATTEND_KERNEL(entmax_backward);

}  // namespace attend::ATTEND_PRECISION::kernels
#endif
