#pragma once
#include "core/kernels/kernel.h"

namespace attend::ATTEND_PRECISION::kernels {

/// y[i, j] (=|+=) x[i, j] over [rows, columns]; the strides are the distances between rows
/// (x_stride 0 repeats one row).
extern Kernel<void(const real* x, int64_t x_stride, Destination y, int64_t y_stride, int64_t rows, int64_t columns)> copy_rows;

/// y[i] = table[ids[i]]: y [n, columns], table [anything, columns]. The ids must be rows of the
/// table (the op checks).
extern Kernel<void(const real* table, int64_t columns, const int32_t* ids, int64_t n, real* y)> gather_rows;

/// table_gradient[ids[i]] += dy[i], i ascending: dy [n, columns].
extern Kernel<void(const real* dy, const int32_t* ids, int64_t n, int64_t columns, real* table_gradient)> scatter_add_rows;

}  // namespace attend::ATTEND_PRECISION::kernels
