#include "core/kernels/softmax.h"

#include <algorithm>
#include <functional>

#include "core/kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/softmax.cpp"
#include "hwy/foreach_target.h"
// After foreach_target.h.
#include "core/kernels/ranged-inl.h"
#include "core/kernels/vector-inl.h"

HWY_BEFORE_NAMESPACE();
namespace attend::ATTEND_PRECISION::kernels::HWY_NAMESPACE {

void softmax(const real* x, real scale, const Range* ranges, real* y, int64_t rows, int64_t columns) {
    ranged_rows(ranges, {y, Write::set}, rows, columns, [=](int64_t offset, int64_t n) HWY_ATTR {
        const real* in = x + offset;
        real* out = y + offset;
        const V s = set(scale);
        const V m = set(max_of(n, [=](auto part, int64_t i) HWY_ATTR { return s * part.load(in + i); }));
        const real sum = sum_of(n, [=](auto part, int64_t i) HWY_ATTR {
            const V e = exp_of_negative(s * part.load(in + i) - m);
            part.store(e, out + i);
            return e;
        });
        const V inverse = set(real{1} / sum);
        vectors(n, [=](auto part, int64_t i) HWY_ATTR { part.store(part.load(out + i) * inverse, out + i); });
    });
}

void softmax_backward(const real* y, const real* dy, real scale, const Range* ranges, Destination dx, int64_t rows,
                      int64_t columns) {
    ranged_rows(ranges, dx, rows, columns, [=](int64_t offset, int64_t n) HWY_ATTR {
        const real* out = y + offset;
        const real* g = dy + offset;
        const V mean = set(sum_of(n, [=](auto part, int64_t i) HWY_ATTR { return part.load(out + i) * part.load(g + i); }));
        write(at(dx, offset), n,
              [=](auto part, int64_t i) HWY_ATTR { return set(scale) * part.load(out + i) * (part.load(g + i) - mean); });
    });
}

void softmax_with_sink(const real* x, real scale, real sink, const Range* ranges, real* y, real* left, int64_t rows,
                       int64_t columns) {
    std::fill_n(left, rows, real{1});
    ranged_rows(ranges, {y, Write::set}, rows, columns, [=](int64_t offset, int64_t n) HWY_ATTR {
        const real* in = x + offset;
        real* out = y + offset;
        const V s = set(scale);
        const real most = std::max(sink, max_of(n, [=](auto part, int64_t i) HWY_ATTR { return s * part.load(in + i); }));
        const V m = set(most);
        const real seen = sum_of(n, [=](auto part, int64_t i) HWY_ATTR {
            const V e = exp_of_negative(s * part.load(in + i) - m);
            part.store(e, out + i);
            return e;
        });
        const real unseen = std::exp(sink - most), inverse = 1 / (unseen + seen);
        left[offset / columns] = unseen * inverse;
        map(out, out, n, [=](V e) HWY_ATTR { return e * set(inverse); });
    });
}

/// The k-th largest of n > 0 scores, which are put into another order; -infinity when there are not more than k.
inline real kth_largest(real* scores, int64_t n, int64_t k) {
    if (k >= n)
        return -infinity;
    // A NaN has no place in an order: as infinity it is kept, and spoils the row.
    for (int64_t i = 0; i < n; ++i)
        if (scores[i] != scores[i])
            scores[i] = infinity;
    std::nth_element(scores, scores + (k - 1), scores + n, std::greater<>());
    return scores[k - 1];
}

void top_softmax(const real* x, int64_t k, real scale, const Range* ranges, real* y, int64_t rows, int64_t columns) {
    ranged_rows(ranges, {y, Write::set}, rows, columns, [=](int64_t offset, int64_t n) HWY_ATTR {
        const real* in = x + offset;
        real* out = y + offset;
        const V s = set(scale);
        map(in, out, n, [=](V v) HWY_ATTR { return s * v; });
        const real least = kth_largest(out, n, k);
        const V m = set(max_of(n, [=](auto part, int64_t i) HWY_ATTR { return s * part.load(in + i); }));
        vectors(n, [=](auto part, int64_t i) HWY_ATTR {
            const V z = s * part.load(in + i);
            part.store(hn::IfThenZeroElse(z < set(least), exp_of_negative(z - m)), out + i);
        });
        int64_t too_many = -k;
        for (int64_t i = 0; i < n; ++i) too_many += scale * in[i] < least ? 0 : 1;
        for (int64_t i = n; too_many > 0 && i-- > 0;)
            if (scale * in[i] == least) {
                out[i] = 0;
                --too_many;
            }
        const real sum = sum_of(n, [=](auto part, int64_t i) HWY_ATTR { return part.load(out + i); });
        map(out, out, n, [=](V e) HWY_ATTR { return e * set(1 / sum); });
    });
}

void log_softmax(const real* x, const Range* ranges, real* y, int64_t rows, int64_t columns) {
    ranged_rows(ranges, {y, Write::set}, rows, columns, [=](int64_t offset, int64_t n) HWY_ATTR {
        const real* in = x + offset;
        const V m = set(max_of(n, [=](auto part, int64_t i) HWY_ATTR { return part.load(in + i); }));
        const real sum = sum_of(n, [=](auto part, int64_t i) HWY_ATTR { return exp_of_negative(part.load(in + i) - m); });
        const V log_sum = set(std::log(sum));
        write({y + offset, Write::set}, n, [=](auto part, int64_t i) HWY_ATTR { return part.load(in + i) - m - log_sum; });
    });
}

void log_softmax_backward(const real* y, const real* dy, const Range* ranges, Destination dx, int64_t rows, int64_t columns) {
    ranged_rows(ranges, dx, rows, columns, [=](int64_t offset, int64_t n) HWY_ATTR {
        const real* out = y + offset;
        const real* g = dy + offset;
        const V sum = set(sum_of(n, [=](auto part, int64_t i) HWY_ATTR { return part.load(g + i); }));
        write(at(dx, offset), n,
              [=](auto part, int64_t i) HWY_ATTR { return part.load(g + i) - exp_of_negative(part.load(out + i)) * sum; });
    });
}

/// Number of elements of a mask's lanes as a vector of ones and zeros.
HWY_INLINE V count(hn::Mask<D> mask) { return hn::IfThenElseZero(mask, set(1)); }

void sparsemax(const real* x, real scale, const Range* ranges, real* y, int64_t rows, int64_t columns) {
    ranged_rows(ranges, {y, Write::set}, rows, columns, [=](int64_t offset, int64_t n) HWY_ATTR {
        real* z = y + offset;  // scale x - m, whose largest element is 0
        const V s = set(scale);
        const V m = set(max_of(n, [=](auto part, int64_t i) HWY_ATTR { return s * part.load(x + offset + i); }));
        write({z, Write::set}, n, [=](auto part, int64_t i) HWY_ATTR { return s * part.load(x + offset + i) - m; });
        // f(tau) = sum max(z - tau, 0) - 1 is convex and falling with f(-1) >= 0, so Newton's steps
        // from -1 go right and never pass the root; the support {z > tau} only shrinks, and when it
        // no longer does, tau is exact.
        real tau = -1;
        real size = std::numeric_limits<real>::max();
        for (;;) {
            const V t = set(tau);
            const real now = sum_of(
                n, [=](auto part, int64_t i) HWY_ATTR { return count(part.or_else(part.load(z + i), set(-infinity)) > t); });
            if (!(now < size) || !(now > 0))
                break;
            size = now;
            const real sum = sum_of(n, [=](auto part, int64_t i) HWY_ATTR {
                const V v = part.or_else(part.load(z + i), set(-infinity));
                return hn::IfThenElseZero(v > t, v);
            });
            tau = (sum - 1) / size;
        }
        const V t = set(tau);
        write({z, Write::set}, n, [=](auto part, int64_t i) HWY_ATTR { return at_least(part.load(z + i) - t, hn::Zero(d)); });
    });
}

void sparsemax_backward(const real* y, const real* dy, real scale, const Range* ranges, Destination dx, int64_t rows,
                        int64_t columns) {
    ranged_rows(ranges, dx, rows, columns, [=](int64_t offset, int64_t n) HWY_ATTR {
        const real* out = y + offset;
        const real* g = dy + offset;
        const V zero = hn::Zero(d);
        const real size = sum_of(n, [=](auto part, int64_t i) HWY_ATTR { return count(part.load(out + i) > zero); });
        const real sum = sum_of(
            n, [=](auto part, int64_t i) HWY_ATTR { return hn::IfThenElseZero(part.load(out + i) > zero, part.load(g + i)); });
        const V mean = set(size > 0 ? sum / size : 0);
        write(at(dx, offset), n, [=](auto part, int64_t i) HWY_ATTR {
            return hn::IfThenElseZero(part.load(out + i) > zero, set(scale) * (part.load(g + i) - mean));
        });
    });
}

}  // namespace attend::ATTEND_PRECISION::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace attend::ATTEND_PRECISION::kernels {

ATTEND_KERNEL(softmax);
ATTEND_KERNEL(softmax_backward);
ATTEND_KERNEL(softmax_with_sink);
ATTEND_KERNEL(top_softmax);
ATTEND_KERNEL(sparsemax);
ATTEND_KERNEL(sparsemax_backward);
ATTEND_KERNEL(log_softmax);
ATTEND_KERNEL(log_softmax_backward);

}  // namespace attend::ATTEND_PRECISION::kernels
#endif
