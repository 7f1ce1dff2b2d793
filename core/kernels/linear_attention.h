#pragma once
/// What the linear family of attention computes inside of a chunk of n positions, beside matrix
/// products. A square matrix [n, n] is contiguous; "lower" means row i, columns j < i.
#include "core/kernels/kernel.h"

namespace attend::ATTEND_PRECISION::kernels {

/// How much of what position j wrote is left at position i: products[i, j] = alpha_{j+1} ... alpha_i
/// for j <= i (1 where j = i), 0 above; and from_start[i] = alpha_0 ... alpha_i, of what was there
/// before the chunk. alpha_i is alpha[i * stride]; null: all 1. Nothing is divided and no logarithm
/// taken, so that any alpha is exact up to rounding, 0 and 1 among them. n >= 1.
extern Kernel<void(const real* alpha, int64_t stride, int64_t n, real* products, real* from_start)> decay_products;

/// dalpha[i * stride] (=|+=) the gradient, from those of the outputs, which are overwritten; only
/// the lower part of dproducts counts:
///     dalpha_i = sum_{j < i} dproducts[i, j] products[i - 1, j] + dfrom_start[i] from_start[i - 1]
///     dproducts[i - 1, j] += alpha_i dproducts[i, j], dfrom_start[i - 1] += alpha_i dfrom_start[i]
/// from the last row on to the first.
extern Kernel<void(const real* alpha, int64_t stride, int64_t n, const real* products, const real* from_start, real* dproducts,
                   real* dfrom_start, Destination dalpha)>
    decay_products_backward;

/// x := the solution of (I + L) x = b, where x holds b [n, columns] at first and L is the lower part
/// of `matrix` [n, n]: by forward substitution.
extern Kernel<void(const real* matrix, int64_t n, Rows x, int64_t columns)> solve_lower;
/// The same for (I + L)^T x = b.
extern Kernel<void(const real* matrix, int64_t n, Rows x, int64_t columns)> solve_lower_transposed;

/// y[i, :] (=|+=) scale factors[i * factor_stride] x[i, :], over [rows, columns]; y may be x.
extern Kernel<void(real scale, const real* factors, int64_t factor_stride, ConstRows x, Rows y, Write write, int64_t rows,
                   int64_t columns)>
    scale_rows;

/// y[i * y_stride] (=|+=) scale times the sum of a[i, :] b[i, :], over [rows, columns].
extern Kernel<void(real scale, ConstRows a, ConstRows b, Destination y, int64_t y_stride, int64_t rows, int64_t columns)>
    dot_rows;

/// y[i, :] = share_i x[i, :columns], share_i = shares[i * share_stride] = 1 / x[i, columns], or 0 where
/// that is 0: x [rows, columns + 1], y [rows, columns].
extern Kernel<void(ConstRows x, Rows y, real* shares, int64_t share_stride, int64_t rows, int64_t columns)> divide_by_last;
/// dx[i, :columns] = share_i dy[i, :], dx[i, columns] = -share_i times the sum of dy[i, :] y[i, :].
extern Kernel<void(ConstRows y, ConstRows dy, const real* shares, int64_t share_stride, Rows dx, int64_t rows, int64_t columns)>
    divide_by_last_backward;

}  // namespace attend::ATTEND_PRECISION::kernels
