#include <algorithm>

#include "core/kernels/product.h"
#include "core/kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/narrow_product.cpp"
#include "hwy/foreach_target.h"
// After foreach_target.h.
#include "core/kernels/tile-inl.h"
#include "core/kernels/vector-inl.h"

HWY_BEFORE_NAMESPACE();
namespace attend::ATTEND_PRECISION::kernels::HWY_NAMESPACE {

constexpr int most_sums = 2 * product_rows;               // in registers at a time: half of the vector registers
constexpr int64_t most_rows = product_least_columns - 1;  // of A at a time
static_assert(most_rows == 4);
constexpr int64_t longest_dot = 1024;  // positions of the inner axis at a time: four rows of A take 16 KiB

/// A product of few rows; element (i, j) of C is c[i * c_row + j * c_column].
struct Narrow {
    Product p;
    int64_t c_column = 1;
};

/// c[j] = alpha sum[j] + beta c[j] for the elements of one vector.
template <class Part>
HWY_INLINE void finish(const Narrow& x, V sum, real beta, real* c, Part part, int64_t count) {
    if (x.c_column == 1) {
        const V product = set(x.p.alpha) * sum;
        part.store(beta == 0 ? product : hn::MulAdd(set(beta), part.load(c), product), c);
        return;
    }
    HWY_ALIGN real sums[lanes];
    hn::Store(set(x.p.alpha) * sum, d, sums);
    for (int64_t j = 0; j < count; ++j) {
        real& to = c[j * x.c_column];
        to = beta == 0 ? sums[j] : beta * to + sums[j];
    }
}

/// c[r, j] = alpha sum_q a(r, q) b[q, j] + beta c[r, j] for R rows and N vectors of columns, q <
/// inner; B's rows are contiguous and read in place.
template <int R, int N, class Part>
HWY_INLINE void rows_times_columns(const Narrow& x, const real* a, const real* b, int64_t inner, real beta, real* c, Part part,
                                   int64_t count) {
    V sum[R][N];
#pragma GCC unroll 4
    for (int r = 0; r < R; ++r)
#pragma GCC unroll 16
        for (int n = 0; n < N; ++n) sum[r][n] = hn::Zero(d);
    for (int64_t q = 0; q < inner; ++q) {
        V right[N];
#pragma GCC unroll 16
        for (int n = 0; n < N; ++n) right[n] = part.load(b + q * x.p.b_inner + n * lanes);
#pragma GCC unroll 4
        for (int r = 0; r < R; ++r) {
            const V left = set(a[r * x.p.a_row + q * x.p.a_inner]);
#pragma GCC unroll 16
            for (int n = 0; n < N; ++n) sum[r][n] = hn::MulAdd(left, right[n], sum[r][n]);
        }
    }
#pragma GCC unroll 4
    for (int r = 0; r < R; ++r)
#pragma GCC unroll 16
        for (int n = 0; n < N; ++n) finish(x, sum[r][n], beta, c + r * x.p.c_row + n * lanes * x.c_column, part, count);
}

/// All columns of R rows of A, positions of the inner axis from `first` on.
template <int R>
HWY_INLINE void rows_by_rows_of_b(const Narrow& x, int64_t row, int64_t first, int64_t inner, real beta) {
    constexpr int wide = most_sums / R;
    const real* const a = x.p.a + row * x.p.a_row + first * x.p.a_inner;
    const real* const b = x.p.b + first * x.p.b_inner;
    real* const c = x.p.c + row * x.p.c_row;
    int64_t j = 0;
    for (; j + wide * lanes <= x.p.n; j += wide * lanes)
        rows_times_columns<R, wide>(x, a, b + j, inner, beta, c + j * x.c_column, Whole(), lanes);
    for (; j + 2 * lanes <= x.p.n; j += 2 * lanes)
        rows_times_columns<R, 2>(x, a, b + j, inner, beta, c + j * x.c_column, Whole(), lanes);
    for (; j + lanes <= x.p.n; j += lanes)
        rows_times_columns<R, 1>(x, a, b + j, inner, beta, c + j * x.c_column, Whole(), lanes);
    if (j < x.p.n)
        rows_times_columns<R, 1>(x, a, b + j, inner, beta, c + j * x.c_column, Partial{static_cast<std::size_t>(x.p.n - j)},
                                 x.p.n - j);
}

/// c[r, j] = alpha sum_q a[r, q] b[j, q] + beta c[r, j] for R rows and N columns, q < inner: both
/// are contiguous along q.
template <int R, int N>
HWY_INLINE void rows_times_rows(const Narrow& x, const real* a, int64_t a_row, const real* b, int64_t inner, real beta,
                                real* c) {
    V sum[R][N];
#pragma GCC unroll 4
    for (int r = 0; r < R; ++r)
#pragma GCC unroll 16
        for (int n = 0; n < N; ++n) sum[r][n] = hn::Zero(d);
    const auto add = [&](auto part, int64_t q) HWY_ATTR {
        V left[R];
#pragma GCC unroll 4
        for (int r = 0; r < R; ++r) left[r] = part.load(a + r * a_row + q);
#pragma GCC unroll 16
        for (int n = 0; n < N; ++n) {
            const V right = part.load(b + n * x.p.b_column + q);
#pragma GCC unroll 4
            for (int r = 0; r < R; ++r) sum[r][n] = hn::MulAdd(left[r], right, sum[r][n]);
        }
    };
    vectors(inner, add);
#pragma GCC unroll 4
    for (int r = 0; r < R; ++r)
#pragma GCC unroll 16
        for (int n = 0; n < N; ++n) {
            const real product = x.p.alpha * lane_sum(sum[r][n]);
            real& to = c[r * x.p.c_row + n * x.c_column];
            to = beta == 0 ? product : beta * to + product;
        }
}

/// All columns of R rows of A, B's columns contiguous.
template <int R>
HWY_INLINE void rows_by_columns_of_b(const Narrow& x, int64_t row, int64_t first, int64_t inner, real beta) {
    constexpr int wide = most_sums / R;
    HWY_ALIGN real gathered[most_rows * longest_dot];
    const real* a = x.p.a + row * x.p.a_row + first * x.p.a_inner;
    int64_t a_row = x.p.a_row;
    if (x.p.a_inner != 1) {
        for (int r = 0; r < R; ++r)
            for (int64_t q = 0; q < inner; ++q) gathered[r * longest_dot + q] = a[r * x.p.a_row + q * x.p.a_inner];
        a = gathered;
        a_row = longest_dot;
    }
    const real* const b = x.p.b + first;
    real* const c = x.p.c + row * x.p.c_row;
    int64_t j = 0;
    for (; j + wide <= x.p.n; j += wide)
        rows_times_rows<R, wide>(x, a, a_row, b + j * x.p.b_column, inner, beta, c + j * x.c_column);
    for (; j < x.p.n; ++j) rows_times_rows<R, 1>(x, a, a_row, b + j * x.p.b_column, inner, beta, c + j * x.c_column);
}

template <int R>
HWY_INLINE void rows(const Narrow& x, int64_t row, int64_t first, int64_t inner, real beta) {
    if (x.p.b_column == 1)
        rows_by_rows_of_b<R>(x, row, first, inner, beta);
    else
        rows_by_columns_of_b<R>(x, row, first, inner, beta);
}

void narrow_product(const Product& p) {
    Narrow x{p};
    if (p.m >= product_least_rows)  // few columns: C^T = op(B)^T op(A)^T has few rows
        x = {{.m = p.n,
              .n = p.m,
              .k = p.k,
              .alpha = p.alpha,
              .a = p.b,
              .a_row = p.b_column,
              .a_inner = p.b_inner,
              .b = p.a,
              .b_inner = p.a_inner,
              .b_column = p.a_row,
              .beta = p.beta,
              .c = p.c,
              .c_row = 1},
             p.c_row};
    const int64_t longest = x.p.b_column == 1 ? product_run : longest_dot;
    const int64_t runs = (x.p.k + longest - 1) / longest, run = (x.p.k + runs - 1) / runs;
    for (int64_t first = 0; first < x.p.k; first += run) {
        const int64_t inner = std::min(run, x.p.k - first);
        const real beta = first == 0 ? x.p.beta : 1;
        int64_t row = 0;
        for (; row + 4 <= x.p.m; row += 4) rows<4>(x, row, first, inner, beta);
        for (; row + 2 <= x.p.m; row += 2) rows<2>(x, row, first, inner, beta);
        if (row < x.p.m)
            rows<1>(x, row, first, inner, beta);
    }
}

}  // namespace attend::ATTEND_PRECISION::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace attend::ATTEND_PRECISION::kernels {

ATTEND_KERNEL(narrow_product);

}  // namespace attend::ATTEND_PRECISION::kernels
#endif
