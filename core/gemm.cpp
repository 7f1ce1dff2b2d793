#include "core/gemm.h"

#include <cblas.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <cstdlib>

#include "core/kernels/product.h"

// OpenBLAS's own allocator of working memory, which its headers do not declare.
extern "C" {
void* blas_memory_alloc(int position);
void blas_memory_free(void* buffer);
}

namespace attend::inline ATTEND_PRECISION {

namespace {
// Before OpenBLAS initialises itself, so that it starts no threads: they would only map buffers of their own, at any moment.
__attribute__((constructor(101))) void start_no_threads() { setenv("OPENBLAS_NUM_THREADS", "1", 1); }

// Once, before the first product: one level of parallelism, and it is ours. Not in a static initialiser: linked statically,
// OpenBLAS initialises itself after this file would, and the thread that an early call starts reads its unset tables.
void use_one_thread() {
    [[maybe_unused]] static const bool done = [] {
        openblas_set_num_threads(1);
        return true;
    }();
}

CBLAS_TRANSPOSE flag(Transpose t) { return t == Transpose::yes ? CblasTrans : CblasNoTrans; }
blasint narrow(int64_t n) {
    assert(n >= 0 && n <= 0x7fffffff);
    return static_cast<blasint>(n);
}

void product(CBLAS_TRANSPOSE ta, CBLAS_TRANSPOSE tb, blasint m, blasint n, blasint k, real alpha, const real* a, blasint lda,
             const real* b, blasint ldb, real beta, real* c, blasint ldc) {
#if defined(ATTEND_DOUBLE)
    cblas_dgemm(CblasRowMajor, ta, tb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
#else
    cblas_sgemm(CblasRowMajor, ta, tb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
#endif
}

void matrix_vector(CBLAS_TRANSPOSE t, blasint rows, blasint columns, real alpha, const real* a, blasint lda, const real* x,
                   blasint step_x, real beta, real* y, blasint step_y) {
#if defined(ATTEND_DOUBLE)
    cblas_dgemv(CblasRowMajor, t, rows, columns, alpha, a, lda, x, step_x, beta, y, step_y);
#else
    cblas_sgemv(CblasRowMajor, t, rows, columns, alpha, a, lda, x, step_x, beta, y, step_y);
#endif
}

// Narrower results leave the vectors of our own kernel idle.
constexpr int64_t least_columns = 16;

// beta == 0 must overwrite, NaN included, and BLAS leaves C alone when alpha * K is empty.
void scale(int64_t m, int64_t n, real beta, real* c, int64_t ldc) {
    for (int64_t i = 0; i < m; ++i)
        for (int64_t j = 0; j < n; ++j) c[i * ldc + j] = beta == 0 ? 0 : c[i * ldc + j] * beta;
}
}  // namespace

void gemm(Transpose ta, Transpose tb, int64_t m, int64_t n, int64_t k, real alpha, const real* a, int64_t lda, const real* b,
          int64_t ldb, real beta, real* c, int64_t ldc) {
    use_one_thread();
    if (m == 0 || n == 0)
        return;
    if (k == 0)
        return scale(m, n, beta, c, ldc);
    if (m == 1) {  // row vector times matrix: y = op(B)^T x
        if (beta == 0)
            scale(1, n, 0, c, ldc);
        const auto rows = tb == Transpose::no ? narrow(k) : narrow(n), columns = tb == Transpose::no ? narrow(n) : narrow(k);
        return matrix_vector(tb == Transpose::no ? CblasTrans : CblasNoTrans, rows, columns, alpha, b, narrow(ldb), a,
                             ta == Transpose::no ? 1 : narrow(lda), beta, c, 1);
    }
    if (m >= kernels::product_least_rows && n >= least_columns && kernels::product_is_fast()) {
        const bool at = ta == Transpose::yes, bt = tb == Transpose::yes;
        return kernels::product({.m = m,
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
                                 .c_row = ldc});
    }
    product(flag(ta), flag(tb), narrow(m), narrow(n), narrow(k), alpha, a, narrow(lda), b, narrow(ldb), beta, c, narrow(ldc));
}

void gemm_batched(Transpose ta, Transpose tb, int64_t batch, int64_t m, int64_t n, int64_t k, real alpha, const real* a,
                  int64_t lda, int64_t stride_a, const real* b, int64_t ldb, int64_t stride_b, real beta, real* c, int64_t ldc,
                  int64_t stride_c) {
    for (int64_t i = 0; i < batch; ++i)
        gemm(ta, tb, m, n, k, alpha, a + i * stride_a, lda, b + i * stride_b, ldb, beta, c + i * stride_c, ldc);
}

void reserve_gemm_buffers(int threads) {
    use_one_thread();
    std::array<void*, 64> held{};  // OpenBLAS itself is built for 64 at most
    const auto n = static_cast<std::size_t>(std::clamp(threads, 0, 64));
    for (std::size_t i = 0; i < n; ++i) held[i] = blas_memory_alloc(0);
    for (std::size_t i = 0; i < n; ++i) blas_memory_free(held[i]);
}

std::string gemm_library() {
    const std::string library = std::string(openblas_get_config()) + " (" + openblas_get_corename() + ")";
    return kernels::product_is_fast() ? "own kernels with AVX-512; else " + library : library;
}

}  // namespace attend::inline ATTEND_PRECISION
