#include "core/kernels/norm.h"

#include "core/kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/norm.cpp"
#include "hwy/foreach_target.h"
// After foreach_target.h.
#include "core/kernels/vector-inl.h"

HWY_BEFORE_NAMESPACE();
namespace attend::ATTEND_PRECISION::kernels::HWY_NAMESPACE {

/// gain or bias, or what stands for it when it is absent.
template <class Part>
HWY_INLINE V load_or(Part part, const real* p, int64_t i, real absent) {
    return p == nullptr ? set(absent) : part.load(p + i);
}

void layer_norm(const real* x, const real* gain, const real* bias, real epsilon, real* y, real* mean, real* rstd, int64_t rows,
                int64_t columns) {
    if (columns <= 0)
        return;
    const real share = real{1} / static_cast<real>(columns);
    for (int64_t row = 0; row < rows; ++row) {
        const real* in = x + row * columns;
        const real mu = share * sum_of(columns, [=](auto part, int64_t i) HWY_ATTR { return part.load(in + i); });
        const V m = set(mu);
        // Around the mean, not as E[x^2] - mean^2, which cancels.
        const real variance = share * sum_of(columns, [=](auto part, int64_t i) HWY_ATTR {
                                  const V c = part.load(in + i) - m;
                                  return c * c;
                              });
        const real r = real{1} / std::sqrt(variance + epsilon);
        const V vr = set(r);
        write({y + row * columns, Write::set}, columns, [=](auto part, int64_t i) HWY_ATTR {
            const V h = (part.load(in + i) - m) * vr;
            return hn::MulAdd(h, load_or(part, gain, i, 1), load_or(part, bias, i, 0));
        });
        mean[row] = mu;
        rstd[row] = r;
    }
}

void layer_norm_backward(const real* x, const real* gain, const real* mean, const real* rstd, const real* dy, Destination dx,
                         Destination dgain, Destination dbias, int64_t rows, int64_t columns) {
    if (columns <= 0)
        return;
    const real share = real{1} / static_cast<real>(columns);
    write_zero(dgain, columns);
    write_zero(dbias, columns);
    for (int64_t row = 0; row < rows; ++row) {
        const real* in = x + row * columns;
        const real* g_out = dy + row * columns;
        const V m = set(mean[row]), r = set(rstd[row]);
        V sum_g = hn::Zero(d), sum_gh = sum_g;
        vectors(columns, [&](auto part, int64_t i) HWY_ATTR {
            const V raw = part.load(g_out + i), h = (part.load(in + i) - m) * r;
            if (dgain.data != nullptr)
                part.store(hn::MulAdd(raw, h, part.load(dgain.data + i)), dgain.data + i);
            if (dbias.data != nullptr)
                part.store(part.load(dbias.data + i) + raw, dbias.data + i);
            const V g = raw * load_or(part, gain, i, 1);  // 0 in absent lanes
            sum_g = sum_g + g;
            sum_gh = hn::MulAdd(g, h, sum_gh);
        });
        const V mean_g = set(share * lane_sum(sum_g)), mean_gh = set(share * lane_sum(sum_gh));
        write(at(dx, row * columns), columns, [=](auto part, int64_t i) HWY_ATTR {
            const V g = part.load(g_out + i) * load_or(part, gain, i, 1), h = (part.load(in + i) - m) * r;
            return r * (g - mean_g - h * mean_gh);
        });
    }
}

void rms_norm(const real* x, const real* gain, real epsilon, real* y, real* r, int64_t rows, int64_t columns) {
    if (columns <= 0)
        return;
    const real share = real{1} / static_cast<real>(columns);
    for (int64_t row = 0; row < rows; ++row) {
        const real* in = x + row * columns;
        const real squares = sum_of(columns, [=](auto part, int64_t i) HWY_ATTR {
            const V v = part.load(in + i);
            return v * v;
        });
        const real inverse = real{1} / std::sqrt(share * squares + epsilon);
        const V vr = set(inverse);
        write({y + row * columns, Write::set}, columns,
              [=](auto part, int64_t i) HWY_ATTR { return part.load(in + i) * vr * load_or(part, gain, i, 1); });
        r[row] = inverse;
    }
}

void rms_norm_backward(const real* x, const real* gain, const real* r, const real* dy, Destination dx, Destination dgain,
                       int64_t rows, int64_t columns) {
    if (columns <= 0)
        return;
    const real share = real{1} / static_cast<real>(columns);
    write_zero(dgain, columns);
    for (int64_t row = 0; row < rows; ++row) {
        const real* in = x + row * columns;
        const real* g_out = dy + row * columns;
        const V vr = set(r[row]);
        V sum_gh = hn::Zero(d);
        vectors(columns, [&](auto part, int64_t i) HWY_ATTR {
            const V raw = part.load(g_out + i), h = part.load(in + i) * vr;
            if (dgain.data != nullptr)
                part.store(hn::MulAdd(raw, h, part.load(dgain.data + i)), dgain.data + i);
            sum_gh = hn::MulAdd(raw * load_or(part, gain, i, 1), h, sum_gh);
        });
        const V mean_gh = set(share * lane_sum(sum_gh));
        write(at(dx, row * columns), columns, [=](auto part, int64_t i) HWY_ATTR {
            const V g = part.load(g_out + i) * load_or(part, gain, i, 1), h = part.load(in + i) * vr;
            return vr * hn::NegMulAdd(h, mean_gh, g);
        });
    }
}

}  // namespace attend::ATTEND_PRECISION::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace attend::ATTEND_PRECISION::kernels {

ATTEND_KERNEL(layer_norm);
ATTEND_KERNEL(layer_norm_backward);
ATTEND_KERNEL(rms_norm);
ATTEND_KERNEL(rms_norm_backward);

}  // namespace attend::ATTEND_PRECISION::kernels
#endif
