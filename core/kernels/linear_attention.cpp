#include "core/kernels/linear_attention.h"

#include <algorithm>

#include "core/kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/linear_attention.cpp"
#include "hwy/foreach_target.h"
// After foreach_target.h.
#include "core/kernels/tile-inl.h"
#include "core/kernels/vector-inl.h"

HWY_BEFORE_NAMESPACE();
namespace attend::ATTEND_PRECISION::kernels::HWY_NAMESPACE {

void decay_products(const real* alpha, int64_t stride, int64_t n, real* products, real* from_start) {
    for (int64_t i = 0; i < n; ++i) {
        const real a = alpha == nullptr ? 1 : alpha[i * stride];
        real* const row = products + i * n;
        vectors(i, [=](auto part, int64_t j) HWY_ATTR { part.store(set(a) * part.load(row - n + j), row + j); });
        row[i] = 1;
        write_zero({row + i + 1, Write::set}, n - i - 1);
        from_start[i] = i == 0 ? a : a * from_start[i - 1];
    }
}

void decay_products_backward(const real* alpha, int64_t stride, int64_t n, const real* products, const real* from_start,
                             real* dproducts, real* dfrom_start, Destination dalpha) {
    for (int64_t i = n; i-- > 0;) {
        real slope = dfrom_start[i];
        if (i > 0) {
            const real a = alpha == nullptr ? 1 : alpha[i * stride];
            const real *const up = dproducts + i * n, *const before = products + (i - 1) * n;
            real* const to = dproducts + (i - 1) * n;
            slope = slope * from_start[i - 1] +
                    sum_of(i, [=](auto part, int64_t j) HWY_ATTR { return part.load(up + j) * part.load(before + j); });
            vectors(i - 1, [=](auto part, int64_t j)
                               HWY_ATTR { part.store(hn::MulAdd(set(a), part.load(up + j), part.load(to + j)), to + j); });
            dfrom_start[i - 1] += a * dfrom_start[i];
        }
        real& to = dalpha.data[i * stride];
        to = dalpha.write == Write::set ? slope : to + slope;
    }
}

constexpr int solved_together = 4;  // rows

/// x[i, :] -= sum_{j < i} l(i, j) x[j, :] for i = first ... first + R - 1, N vectors of columns,
/// where x[j, :] is solved for all j < first.
template <int R, int N, class Part>
HWY_INLINE void solve_rows(Left l, int64_t first, Rows x, Part part) {
    V sum[R][N];
#pragma GCC unroll 4
    for (int r = 0; r < R; ++r)
#pragma GCC unroll 4
        for (int n = 0; n < N; ++n) sum[r][n] = part.load(x[first + r] + n * lanes);
    const real* const left = l.data + first * l.row_step;
    for (int64_t j = 0; j < first; ++j) {
        V known[N];
#pragma GCC unroll 4
        for (int n = 0; n < N; ++n) known[n] = part.load(x[j] + n * lanes);
#pragma GCC unroll 4
        for (int r = 0; r < R; ++r) {
            const V by = set(left[r * l.row_step + j * l.inner_step]);
#pragma GCC unroll 4
            for (int n = 0; n < N; ++n) sum[r][n] = hn::NegMulAdd(by, known[n], sum[r][n]);
        }
    }
#pragma GCC unroll 4
    for (int r = 0; r < R; ++r) {
#pragma GCC unroll 4
        for (int s = 0; s < r; ++s) {
            const V by = set(left[r * l.row_step + (first + s) * l.inner_step]);
#pragma GCC unroll 4
            for (int n = 0; n < N; ++n) sum[r][n] = hn::NegMulAdd(by, sum[s][n], sum[r][n]);
        }
#pragma GCC unroll 4
        for (int n = 0; n < N; ++n) part.store(sum[r][n], x[first + r] + n * lanes);
    }
}

/// All rows, for some columns.
template <int N, class Part>
HWY_INLINE void solve_columns(Left l, int64_t n, Rows x, Part part) {
    int64_t i = 0;
    for (; i + solved_together <= n; i += solved_together) solve_rows<solved_together, N>(l, i, x, part);
    for (; i < n; ++i) solve_rows<1, N>(l, i, x, part);
}

HWY_INLINE void solve(Left l, int64_t n, Rows x, int64_t columns) {
    constexpr int wide = product_rows / 2;  // vectors: so many times solved_together sums fill half of the registers
    int64_t j = 0;
    for (; j + wide * lanes <= columns; j += wide * lanes) solve_columns<wide>(l, n, {x.data + j, x.stride}, Whole());
    for (; j + 2 * lanes <= columns; j += 2 * lanes) solve_columns<2>(l, n, {x.data + j, x.stride}, Whole());
    for (; j + lanes <= columns; j += lanes) solve_columns<1>(l, n, {x.data + j, x.stride}, Whole());
    if (j < columns)
        solve_columns<1>(l, n, {x.data + j, x.stride}, Partial{static_cast<std::size_t>(columns - j)});
}

void solve_lower(const real* matrix, int64_t n, Rows x, int64_t columns) { solve({matrix, n, 1}, n, x, columns); }

void solve_lower_transposed(const real* matrix, int64_t n, Rows x, int64_t columns) {
    // With rows and columns counted from the last, the transpose of a lower matrix is lower.
    if (n > 0)
        solve({matrix + n * n - 1, -1, -n}, n, {x[n - 1], -x.stride}, columns);
}

void scale_rows(real scale, const real* factors, int64_t factor_stride, ConstRows x, Rows y, Write mode, int64_t rows,
                int64_t columns) {
    for (int64_t i = 0; i < rows; ++i) {
        const V factor = set(scale * factors[i * factor_stride]);
        const real* const from = x[i];
        write({y[i], mode}, columns, [=](auto part, int64_t j) HWY_ATTR { return factor * part.load(from + j); });
    }
}

void dot_rows(real scale, ConstRows a, ConstRows b, Destination y, int64_t y_stride, int64_t rows, int64_t columns) {
    for (int64_t i = 0; i < rows; ++i) {
        const real *const left = a[i], *const right = b[i];
        const real sum =
            scale * sum_of(columns, [=](auto part, int64_t j) HWY_ATTR { return part.load(left + j) * part.load(right + j); });
        real& to = y.data[i * y_stride];
        to = y.write == Write::set ? sum : to + sum;
    }
}

void divide_by_last(ConstRows x, Rows y, real* shares, int64_t share_stride, int64_t rows, int64_t columns) {
    for (int64_t i = 0; i < rows; ++i) shares[i * share_stride] = x[i][columns] == 0 ? 0 : 1 / x[i][columns];
    scale_rows(1, shares, share_stride, x, y, Write::set, rows, columns);
}

void divide_by_last_backward(ConstRows y, ConstRows dy, const real* shares, int64_t share_stride, Rows dx, int64_t rows,
                             int64_t columns) {
    scale_rows(1, shares, share_stride, dy, dx, Write::set, rows, columns);
    dot_rows(-1, {dx.data, dx.stride}, y, {dx.data + columns, Write::set}, dx.stride, rows, columns);
}

}  // namespace attend::ATTEND_PRECISION::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace attend::ATTEND_PRECISION::kernels {

ATTEND_KERNEL(decay_products);
ATTEND_KERNEL(decay_products_backward);
ATTEND_KERNEL(solve_lower);
ATTEND_KERNEL(solve_lower_transposed);
ATTEND_KERNEL(scale_rows);
ATTEND_KERNEL(dot_rows);
ATTEND_KERNEL(divide_by_last);
ATTEND_KERNEL(divide_by_last_backward);

}  // namespace attend::ATTEND_PRECISION::kernels
#endif
