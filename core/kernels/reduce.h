#pragma once
/// Reductions over n elements, n >= 0, any alignment. The order of additions depends on the sizes
/// alone.
#include "core/destination.h"

namespace attend::ATTEND_PRECISION::kernels {

/// sum x, accumulated in real; 0 for n = 0.
real sum(const real* x, int64_t n);
/// sum x, accumulated in double.
double sum_double(const real* x, int64_t n);
/// sum x^2, squared and accumulated in double.
double sum_of_squares(const real* x, int64_t n);
/// The largest element that is not NaN; -infinity when there is none.
real maximum(const real* x, int64_t n);
/// Whether no element is NaN or infinite.
bool all_finite(const real* x, int64_t n);
/// y[j] (=|+=) sum_i x[i, j], with x [rows, columns], its rows `stride` elements apart, and y
/// [columns].
void column_sums(const real* x, int64_t rows, int64_t columns, int64_t stride, Destination y);

}  // namespace attend::ATTEND_PRECISION::kernels
