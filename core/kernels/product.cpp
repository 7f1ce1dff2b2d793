#include "core/kernels/product.h"

#include <algorithm>
#include <type_traits>

#include "core/kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/product.cpp"
#include "hwy/foreach_target.h"
// After foreach_target.h.
#include "core/kernels/tile-inl.h"
#include "core/kernels/vector-inl.h"

HWY_BEFORE_NAMESPACE();
namespace attend::ATTEND_PRECISION::kernels::HWY_NAMESPACE {

constexpr int64_t sliver = 2 * lanes;  // columns of B packed together
// A run of the inner axis times a sliver takes 32 KiB with 64-byte vectors.
constexpr int64_t block_of_a = 512 * 1024 / sizeof(real), least_rows = 128;  // of A, at a time: half of the second cache

/// Which part of product_rows rows and a sliver is written: all, or rows from `first_row` on and
/// `columns` columns.
struct Everything {};
struct Edge {
    int64_t first_row, columns;
};

/// c[r, j] = alpha sum_p a(r, p) b[p, j] + beta c[r, j] for product_rows rows and N vectors of a
/// sliver.
template <int N, class Part>
HWY_INLINE void product_of_sliver(Left a, const real* b, int64_t inner, real alpha, real beta, real* c, int64_t c_stride,
                                  Part written) {
    V sum[product_rows][N];
#pragma GCC unroll 8
    for (int r = 0; r < product_rows; ++r)
#pragma GCC unroll 2
        for (int n = 0; n < N; ++n) sum[r][n] = hn::Zero(d);
    add_products(sum, a, b, sliver, inner);
    const V by = set(alpha), share = set(beta);
    const auto finish = [=](auto part, V total, real* to) HWY_ATTR {
        const V product = by * total;
        part.store(beta == 0 ? product : hn::MulAdd(share, part.load(to), product), to);
    };
#pragma GCC unroll 8
    for (int r = 0; r < product_rows; ++r)
#pragma GCC unroll 2
        for (int n = 0; n < N; ++n) {
            real* const to = c + r * c_stride + n * lanes;
            if constexpr (std::is_same_v<Part, Everything>)
                finish(Whole(), sum[r][n], to);
            else if (r >= written.first_row && written.columns - n * lanes >= lanes)
                finish(Whole(), sum[r][n], to);
            else if (r >= written.first_row)
                finish(Partial{static_cast<std::size_t>(written.columns - n * lanes)}, sum[r][n], to);
        }
}

/// Columns j ... j + columns - 1 and inner positions p ... p + run - 1 of op(B) as [run, sliver],
/// zero after the columns up to a whole vector.
HWY_INLINE void pack_sliver(const Product& x, int64_t j, int64_t columns, int64_t p, int64_t run, real* to) {
    const real* from = x.b + p * x.b_inner + j * x.b_column;
    if (x.b_column == 1) {
        if (columns == sliver)
            for (int64_t i = 0; i < run; ++i) {
                hn::Store(hn::LoadU(d, from + i * x.b_inner), d, to + i * sliver);
                hn::Store(hn::LoadU(d, from + i * x.b_inner + lanes), d, to + i * sliver + lanes);
            }
        else
            pack_rows(from, x.b_inner, run, columns, 1, to, run, sliver);
        return;
    }
    pack_transposed(from, x.b_column, columns, run, to, sliver);
}

/// One sliver times the rows first_row ... last_row - 1 of A, the run of the inner axis that begins
/// at p. step says how A stands; there are at least product_rows rows in all.
template <class Step>
HWY_INLINE void product_of_rows_and_sliver(const Product& x, Step step, const real* packed, int64_t j, int64_t columns,
                                           int64_t p, int64_t run, int64_t first_row, int64_t last_row) {
    const real beta = p == 0 ? x.beta : 1;
    for (int64_t i = first_row; i < last_row; i += product_rows) {
        // The last rows are computed together with some before them, which are not written again.
        const int64_t row = std::min<int64_t>(i, x.m - product_rows);
        const Left a = step(x.a + row * x.a_row + p * x.a_inner);
        real* const c = x.c + row * x.c_row + j;
        if (row == i && columns == sliver)
            product_of_sliver<2>(a, packed, run, x.alpha, beta, c, x.c_row, Everything());
        else if (columns > lanes)
            product_of_sliver<2>(a, packed, run, x.alpha, beta, c, x.c_row, Edge{i - row, columns});
        else
            product_of_sliver<1>(a, packed, run, x.alpha, beta, c, x.c_row, Edge{i - row, columns});
    }
}

void product(const Product& x) {
    HWY_ALIGN real packed[product_run * sliver];
    const int64_t runs = (x.k + product_run - 1) / product_run, run = (x.k + runs - 1) / runs;
    const int64_t rows = std::max(least_rows, block_of_a / x.k / product_rows * product_rows);
    for (int64_t first_row = 0; first_row < x.m; first_row += rows) {
        const int64_t last_row = std::min(x.m, first_row + rows);
        for (int64_t j = 0; j < x.n; j += sliver) {
            const int64_t columns = std::min(sliver, x.n - j);
            for (int64_t p = 0; p < x.k; p += run) {
                const int64_t inner = std::min(run, x.k - p);
                pack_sliver(x, j, columns, p, inner, packed);
                if (x.a_inner == 1)
                    product_of_rows_and_sliver(
                        x,
                        [&](const real* a) HWY_ATTR {
                            return Left{a, x.a_row, 1};
                        },
                        packed, j, columns, p, inner, first_row, last_row);
                else
                    product_of_rows_and_sliver(
                        x,
                        [&](const real* a) HWY_ATTR {
                            return Left{a, 1, x.a_inner};
                        },
                        packed, j, columns, p, inner, first_row, last_row);
            }
        }
    }
}

bool product_is_fast() { return HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX3_DL; }

const char* vectors_name() {
    constexpr int64_t target = HWY_TARGET;
    return product_is_fast() ? "AVX-512" : target == HWY_AVX2 ? "AVX2" : target == HWY_NEON ? "NEON" : "scalar code";
}

}  // namespace attend::ATTEND_PRECISION::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace attend::ATTEND_PRECISION::kernels {

ATTEND_KERNEL(product);
ATTEND_KERNEL(product_is_fast);
ATTEND_KERNEL(vectors_name);

}  // namespace attend::ATTEND_PRECISION::kernels
#endif
