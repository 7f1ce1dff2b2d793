#pragma once
/// Activations of transformers' feed-forward layers, single passes. Elementwise over n >= 0
/// elements, any alignment; the output may be the very array of an input. Backward kernels take the
/// forward's input x; a Destination without data asks for nothing.
#include "core/kernels/kernel.h"

namespace attend::ATTEND_PRECISION::kernels {

/// y = x P(x), P the standard normal's distribution function, (1 + erf(x / sqrt 2)) / 2 (Hendrycks
/// and Gimpel 2016). Accurate relative to the result in both tails, where 1 + erf cancels.
extern Kernel<void(const real* x, real* y, int64_t n)> gelu;
/// The same and slope = dy/dx = P(x) + x p(x), p the standard normal's density: all that the
/// backward needs, for little more.
extern Kernel<void(const real* x, real* y, real* slope, int64_t n)> gelu_with_slope;

/// y = x / 2 (1 + tanh(u)), u = sqrt(2 / pi) (x + 0.044715 x^3) (Hendrycks and Gimpel 2016, section
/// 2); computed as x s(2u).
extern Kernel<void(const real* x, real* y, int64_t n)> gelu_tanh;
/// The same and slope = dy/dx = s + x s (1 - s) 2u', s = s(2u).
extern Kernel<void(const real* x, real* y, real* slope, int64_t n)> gelu_tanh_with_slope;

/// y = x s(x), s the logistic function (Elfwing et al. 2018; Ramachandran et al. 2017 with beta =
/// 1).
extern Kernel<void(const real* x, real* y, int64_t n)> silu;
/// dx (=|+=) dy s (1 + x (1 - s))
extern Kernel<void(const real* x, const real* dy, Destination dx, int64_t n)> silu_backward;

/// Gated (Shazeer 2020, eq. 6): x [rows, 2 width] holds a gate u and a value v side by side, y
/// [rows, width] = u s(u) v. y must not overlap x.
extern Kernel<void(const real* x, real* y, int64_t rows, int64_t width)> swiglu;
/// dx [rows, 2 width]: du (=|+=) dy v s (1 + u (1 - s)), dv (=|+=) dy u s, s = s(u).
extern Kernel<void(const real* x, const real* dy, Destination dx, int64_t rows, int64_t width)> swiglu_backward;

}  // namespace attend::ATTEND_PRECISION::kernels
