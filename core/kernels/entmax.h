#pragma once
/// The entmax family over rows (Peters, Niculae and Martins 2019): between softmax (alpha -> 1) and
/// sparsemax (alpha = 2), with weights that are exactly 0. Arguments as in softmax.h, except that y
/// is not x.
#include "core/base/range.h"
#include "core/kernels/kernel.h"

namespace attend::ATTEND_PRECISION::kernels {

/// alpha = 1.5: y = max(scale x / 2 - tau, 0)^2 with tau such that a row sums to 1. Exact, by
/// sorting (algorithm 2, appendix C.2).
extern Kernel<void(const real* x, real scale, const Range* ranges, real* y, int64_t rows, int64_t columns)> entmax15;

/// 1 < alpha <= 2: y = max(1 + (alpha - 1) (scale x - m - mu), 0)^(1 / (alpha - 1)), m the row's
/// largest scale x, with mu >= 0 such that a row sums to 1. (Eq. 10 with tau = (alpha - 1) (m + mu)
/// - 1: this form stays accurate where alpha is near 1.) mu is the root that bisection would find,
/// found by Newton's iteration; then the row is divided by its sum.
extern Kernel<void(const real* x, real alpha, real scale, const Range* ranges, real* y, int64_t rows, int64_t columns)> entmax;

/// dx (=|+=) scale s (dy - sum_k s_k dy_k / sum_k s_k) with s = y^(2 - alpha) where y > 0, else 0
/// (eq. 14).
extern Kernel<void(const real* y, const real* dy, real alpha, real scale, const Range* ranges, Destination dx, int64_t rows,
                   int64_t columns)>
    entmax_backward;

}  // namespace attend::ATTEND_PRECISION::kernels
