#pragma once
#include "core/destination.h"

namespace attend::inline ATTEND_PRECISION::kernels {

/// Layer normalisation (Ba, Kiros and Hinton 2016): y = gain (x - mean) rstd + bias, rstd = 1 / sqrt(variance + epsilon), the
/// biased variance over a row. x, y [rows, columns], contiguous; gain, bias [columns], null for 1 and 0; mean, rstd [rows],
/// saved for the backward, null when not wanted. y may be x.
void layer_norm(const real* x, const real* gain, const real* bias, real epsilon, real* y, real* mean, real* rstd, int64_t rows,
                int64_t columns);

/// With h = (x - mean) rstd and g = dy gain: dx (=|+=) rstd (g - mean of g - h mean of (g h)), means over a row;
/// dgain (=|+=) sum over rows of dy h; dbias (=|+=) sum over rows of dy. dx.data may be dy.
void layer_norm_backward(const real* x, const real* gain, const real* mean, const real* rstd, const real* dy, Destination dx,
                         Destination dgain, Destination dbias, int64_t rows, int64_t columns);

}  // namespace attend::inline ATTEND_PRECISION::kernels
