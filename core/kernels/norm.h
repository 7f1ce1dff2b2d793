#pragma once
#include "core/kernels/kernel.h"

namespace attend::ATTEND_PRECISION::kernels {

/// Layer normalisation (Ba, Kiros and Hinton 2016): y = gain (x - mean) rstd + bias, rstd = 1 /
/// sqrt(variance + epsilon), the biased variance over a row. x, y [rows, columns], contiguous;
/// gain, bias [columns], null for 1 and 0; mean, rstd [rows], saved for the backward. y may be x.
extern Kernel<void(const real* x, const real* gain, const real* bias, real epsilon, real* y, real* mean, real* rstd,
                   int64_t rows, int64_t columns)>
    layer_norm;

/// With h = (x - mean) rstd and g = dy gain: dx (=|+=) rstd (g - mean of g - h mean of (g h)),
/// means over a row; dgain (=|+=) sum over rows of dy h; dbias (=|+=) sum over rows of dy. dx.data
/// may be dy.
extern Kernel<void(const real* x, const real* gain, const real* mean, const real* rstd, const real* dy, Destination dx,
                   Destination dgain, Destination dbias, int64_t rows, int64_t columns)>
    layer_norm_backward;

/// Root mean square normalisation (Zhang and Sennrich 2019, eq. 4): y = gain x r, r = 1 / sqrt(mean
/// of x^2 + epsilon) over a row. Arrays as for layer_norm; r [rows]. y may be x.
extern Kernel<void(const real* x, const real* gain, real epsilon, real* y, real* r, int64_t rows, int64_t columns)> rms_norm;

/// With h = x r and g = dy gain: dx (=|+=) r (g - h mean of (g h)); dgain (=|+=) sum over rows of
/// dy h. dx.data may be dy.
extern Kernel<void(const real* x, const real* gain, const real* r, const real* dy, Destination dx, Destination dgain,
                   int64_t rows, int64_t columns)>
    rms_norm_backward;

}  // namespace attend::ATTEND_PRECISION::kernels
