#include "core/gemm.h"

#include <fmt/format.h>

#include "core/base/library_check.h"
#include "core/base/openblas.h"
#include "core/kernels/product.h"

namespace attend::ATTEND_PRECISION {

namespace {
// Where OpenBLAS has kernels of its own for small matrices, they ask the system for memory at every
// call. It takes at most so many multiplications for small, and calls of that size gain little from
// its blocks.
constexpr int64_t small_product = 100 * 100 * 100;

// Whether OpenBLAS computes the larger products here.
bool library_takes_part() { return !kernels::product_is_fast() && library_check().sound(); }

// beta == 0 must overwrite, NaN included.
void scale(int64_t m, int64_t n, real beta, real* c, int64_t ldc) {
    for (int64_t i = 0; i < m; ++i)
        for (int64_t j = 0; j < n; ++j) c[i * ldc + j] = beta == 0 ? 0 : c[i * ldc + j] * beta;
}
}  // namespace

void gemm(Transpose ta, Transpose tb, int64_t m, int64_t n, int64_t k, real alpha, const real* a, int64_t lda, const real* b,
          int64_t ldb, real beta, real* c, int64_t ldc) {
    if (m == 0 || n == 0)
        return;
    if (k == 0)
        return scale(m, n, beta, c, ldc);
    const bool at = ta == Transpose::yes, bt = tb == Transpose::yes;
    const kernels::Product sizes{.m = m,
                                 .n = n,
                                 .k = k,
                                 .alpha = alpha,
                                 .a = a,
                                 .a_row = at ? 1 : lda,
                                 .a_inner = at ? lda : 1,
                                 .b = b,
                                 .b_inner = bt ? 1 : ldb,
                                 .b_column = bt ? ldb : 1,
                                 .beta = beta,
                                 .c = c,
                                 .c_row = ldc};
    if (m < kernels::product_least_rows || n < kernels::product_least_columns)
        kernels::narrow_product(sizes);
    else if (m * n * k <= small_product || !library_takes_part())
        kernels::product(sizes);
    else
        openblas::product(ta, tb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
}

void prepare_gemm() { library_takes_part(); }

void reserve_gemm_buffers(int threads) {
    if (library_takes_part())
        openblas::reserve_buffers(threads);
}

std::string gemm_library() {
    const std::string own = fmt::format("own kernels with {}", kernels::vectors_name());
    if (kernels::product_is_fast())
        return own;
    if (!library_check().sound())
        return fmt::format("{}; {} is left out: {}", own, openblas::name(), library_check().fault);
    return fmt::format("{} for narrow and small products, {} for the rest", own, openblas::name());
}

}  // namespace attend::ATTEND_PRECISION
