#pragma once
/// Normalisers over rows: x, y, dy, dx are [rows, columns], contiguous. `ranges` holds one Range
/// per row, cut to [0, columns], or is null when every row sees all columns. Outside its range a
/// row's output and gradient are 0 and its input is not read; an empty range gives a zero row. The
/// output may be the very array of an input.
#include "core/base/range.h"
#include "core/kernels/kernel.h"

namespace attend::ATTEND_PRECISION::kernels {

/// y = softmax(scale x): e^(scale x - m) / sum e^(scale x - m), m the row's largest scale x.
extern Kernel<void(const real* x, real scale, const Range* ranges, real* y, int64_t rows, int64_t columns)> softmax;
/// dx (=|+=) scale y (dy - sum_k y_k dy_k)
extern Kernel<void(const real* y, const real* dy, real scale, const Range* ranges, Destination dx, int64_t rows,
                   int64_t columns)>
    softmax_backward;

/// y = e^(scale x) / (e^sink + sum e^(scale x)); left [rows] (=) what the sink has of each row: 1
/// minus the sum of its y. The backward in x is softmax_backward.
extern Kernel<void(const real* x, real scale, real sink, const Range* ranges, real* y, real* left, int64_t rows,
                   int64_t columns)>
    softmax_with_sink;
/// The softmax of scale x over the k >= 1 largest scale x of a row's range, the first of equal
/// ones; 0 elsewhere. y is not x. The backward is softmax_backward.
extern Kernel<void(const real* x, int64_t k, real scale, const Range* ranges, real* y, int64_t rows, int64_t columns)>
    top_softmax;

/// y = x - m - ln sum e^(x - m), m the row's largest x.
extern Kernel<void(const real* x, const Range* ranges, real* y, int64_t rows, int64_t columns)> log_softmax;
/// dx (=|+=) dy - e^y sum_k dy_k
extern Kernel<void(const real* y, const real* dy, const Range* ranges, Destination dx, int64_t rows, int64_t columns)>
    log_softmax_backward;

/// y = argmin_p |p - scale x|^2 over the probability simplex (Martins and Astudillo 2016, eq. 2):
/// max(scale x - tau, 0) with tau such that a row sums to 1. Exact: tau is found by Newton's
/// iteration from the left on the piecewise linear sum, which ends after finitely many steps
/// (Michelot 1986).
extern Kernel<void(const real* x, real scale, const Range* ranges, real* y, int64_t rows, int64_t columns)> sparsemax;
/// dx (=|+=) scale (dy - mean of dy over S) on the support S = {k: y_k > 0}, else 0 (eq. 14).
extern Kernel<void(const real* y, const real* dy, real scale, const Range* ranges, Destination dx, int64_t rows,
                   int64_t columns)>
    sparsemax_backward;

}  // namespace attend::ATTEND_PRECISION::kernels
