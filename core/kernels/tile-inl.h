/// Products of small matrices that stay in the first caches, and the packing they want; compiled
/// once per instruction set. Everything packed is 64-byte aligned, rows padded with zeros to whole
/// vectors (padded()).
#if defined(ATTEND_KERNELS_TILE_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef ATTEND_KERNELS_TILE_INL_H
#undef ATTEND_KERNELS_TILE_INL_H
#else
#define ATTEND_KERNELS_TILE_INL_H
#endif

#include "core/kernels/vector-inl.h"

HWY_BEFORE_NAMESPACE();
namespace attend::ATTEND_PRECISION::kernels::HWY_NAMESPACE {

/// Rows of a product made at a time: with two vectors each, their sums fill half of the vector
/// registers (32, AVX2: 16).
#if HWY_TARGET == HWY_AVX2 || HWY_TARGET == HWY_SCALAR
constexpr int product_rows = 4;
#else
constexpr int product_rows = 8;
#endif

/// The left matrix of a product, element (r, p) at data[r * row_step + p * inner_step]: as stored
/// or transposed.
struct Left {
    const real* data;
    int64_t row_step, inner_step;
};

/// sum[r, j] += sum_p a(r, p) b[p, j], p < inner, for product_rows rows and N vectors of columns:
/// the one loop of all products.
template <int N>
HWY_INLINE void add_products(V (&sum)[product_rows][N], Left a, const real* b, int64_t b_stride, int64_t inner) {
    for (int64_t p = 0; p < inner; ++p) {
        V right[N];
#pragma GCC unroll 2
        for (int n = 0; n < N; ++n) right[n] = hn::Load(d, b + p * b_stride + n * lanes);
#pragma GCC unroll 8
        for (int r = 0; r < product_rows; ++r) {
            const V left = set(a.data[r * a.row_step + p * a.inner_step]);
#pragma GCC unroll 2
            for (int n = 0; n < N; ++n) sum[r][n] = hn::MulAdd(left, right[n], sum[r][n]);
        }
    }
}

/// c[r, j] (=|+=) sum_p a(r, p) b[p, j], for product_rows rows and N vectors of columns.
template <int N>
HWY_INLINE void product_of_vectors(Left a, const real* b, int64_t b_stride, int64_t inner, real* c, int64_t c_stride,
                                   Write mode) {
    V sum[product_rows][N];
#pragma GCC unroll 8
    for (int r = 0; r < product_rows; ++r)
#pragma GCC unroll 2
        for (int n = 0; n < N; ++n) sum[r][n] = mode == Write::add ? hn::Load(d, c + r * c_stride + n * lanes) : hn::Zero(d);
    add_products(sum, a, b, b_stride, inner);
#pragma GCC unroll 8
    for (int r = 0; r < product_rows; ++r)
#pragma GCC unroll 2
        for (int n = 0; n < N; ++n) hn::Store(sum[r][n], d, c + r * c_stride + n * lanes);
}

/// The same for `columns` columns, a multiple of a vector.
HWY_INLINE void product_of_rows(Left a, const real* b, int64_t b_stride, int64_t inner, int64_t columns, real* c,
                                int64_t c_stride, Write mode) {
    int64_t j = 0;
    for (; j + 2 * lanes <= columns; j += 2 * lanes) product_of_vectors<2>(a, b + j, b_stride, inner, c + j, c_stride, mode);
    if (j < columns)
        product_of_vectors<1>(a, b + j, b_stride, inner, c + j, c_stride, mode);
}

/// to[r, c] = factor from[r, c], rows of `stride` to rows of `to_stride`, zero after `columns`, and
/// whole zero rows up to `to_rows`.
HWY_INLINE void pack_rows(const real* from, int64_t stride, int64_t rows, int64_t columns, real factor, real* to,
                          int64_t to_rows, int64_t to_stride) {
    for (int64_t r = 0; r < rows; ++r) {
        vectors(columns, [=](auto part, int64_t i)
                             HWY_ATTR { part.store(set(factor) * part.load(from + r * stride + i), to + r * to_stride + i); });
        for (int64_t c = columns; c < to_stride; ++c) to[r * to_stride + c] = 0;
    }
    write_zero({to + rows * to_stride, Write::set}, (to_rows - rows) * to_stride);
}

/// to[c, r] = from[r, c]: `rows` rows of `columns` as `columns` rows of to_stride, zero after
/// `rows` up to a whole vector.
HWY_INLINE void pack_transposed(const real* from, int64_t stride, int64_t rows, int64_t columns, real* to, int64_t to_stride) {
    int64_t r = 0;
#if HWY_TARGET != HWY_SCALAR
    constexpr int64_t side = 16 / sizeof(real);
    const hn::FixedTag<real, side> four;  // four floats or two doubles: squares of that side in registers
    for (; r + side <= rows; r += side) {
        const real* x = from + r * stride;
        int64_t c = 0;
        for (; c + side <= columns; c += side) {
            real* y = to + c * to_stride + r;
#if defined(ATTEND_DOUBLE)
            const auto a = hn::LoadU(four, x + c), b = hn::LoadU(four, x + stride + c);
            hn::StoreU(hn::InterleaveLower(four, a, b), four, y);
            hn::StoreU(hn::InterleaveUpper(four, a, b), four, y + to_stride);
#else
            const auto x0 = hn::LoadU(four, x + c), x1 = hn::LoadU(four, x + stride + c);
            const auto x2 = hn::LoadU(four, x + 2 * stride + c), x3 = hn::LoadU(four, x + 3 * stride + c);
            const auto even_low = hn::InterleaveLower(four, x0, x2), odd_low = hn::InterleaveLower(four, x1, x3);
            const auto even_high = hn::InterleaveUpper(four, x0, x2), odd_high = hn::InterleaveUpper(four, x1, x3);
            hn::StoreU(hn::InterleaveLower(four, even_low, odd_low), four, y);
            hn::StoreU(hn::InterleaveUpper(four, even_low, odd_low), four, y + to_stride);
            hn::StoreU(hn::InterleaveLower(four, even_high, odd_high), four, y + 2 * to_stride);
            hn::StoreU(hn::InterleaveUpper(four, even_high, odd_high), four, y + 3 * to_stride);
#endif
        }
        for (; c < columns; ++c)
            for (int64_t k = 0; k < side; ++k) to[c * to_stride + r + k] = x[k * stride + c];
    }
#endif
    for (; r < rows; ++r)
        for (int64_t c = 0; c < columns; ++c) to[c * to_stride + r] = from[r * stride + c];
    const int64_t whole = (rows + lanes - 1) / lanes * lanes;
    for (int64_t c = 0; c < columns && r < whole; ++c)
        for (int64_t i = r; i < whole; ++i) to[c * to_stride + i] = 0;
}

}  // namespace attend::ATTEND_PRECISION::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
