#pragma once
/// Reductions over n elements, n >= 0, any alignment. The order of additions depends on the sizes
/// alone.
#include "core/kernels/kernel.h"

namespace attend::ATTEND_PRECISION::kernels {

/// sum x, accumulated in real; 0 for n = 0.
extern Kernel<real(const real* x, int64_t n)> sum;
/// sum x, accumulated in double.
extern Kernel<double(const real* x, int64_t n)> sum_double;
/// sum x^2, squared and accumulated in double.
extern Kernel<double(const real* x, int64_t n)> sum_of_squares;
/// sum a b, accumulated in real.
extern Kernel<real(const real* a, const real* b, int64_t n)> dot;
/// The largest element that is not NaN; -infinity when there is none.
extern Kernel<real(const real* x, int64_t n)> maximum;
/// Index of the first largest element that is not NaN; 0 when there is none.
extern Kernel<int64_t(const real* x, int64_t n)> argmax;
/// Whether no element is NaN or infinite.
extern Kernel<bool(const real* x, int64_t n)> all_finite;
/// y[j] (=|+=) sum_i x[i, j], with x [rows, columns], its rows `stride` elements apart, and y
/// [columns].
extern Kernel<void(const real* x, int64_t rows, int64_t columns, int64_t stride, Destination y)> column_sums;

}  // namespace attend::ATTEND_PRECISION::kernels
