#pragma once
/// The one seam to matrix products, single-threaded: where the machine has AVX-512 and the shape fills its vectors, our own
/// kernel (kernels/product.h), faster than OpenBLAS at every shape of training that was measured; OpenBLAS elsewhere.
/// Row-major, C := alpha * op(A) op(B) + beta * C, with op(A) [M, K], op(B) [K, N], C [M, N]; lda, ldb, ldc are the distances
/// between stored rows. beta == 0 overwrites C, NaN included. Bits of a row depend on M, N, K, the transposes and beta, never
/// on addresses or on other callers: so M must never be chosen from the number of threads. (Those of our own kernel depend on K
/// alone; which of the two runs depends on M and N.) M == 1 goes to gemv.
#include <string>

#include "core/real.h"

namespace attend::inline ATTEND_PRECISION {

enum class Transpose { no, yes };

void gemm(Transpose a_transposed, Transpose b_transposed, int64_t m, int64_t n, int64_t k, real alpha, const real* a,
          int64_t lda, const real* b, int64_t ldb, real beta, real* c, int64_t ldc);

/// `batch` independent products; the strides are the distances between consecutive matrices.
void gemm_batched(Transpose a_transposed, Transpose b_transposed, int64_t batch, int64_t m, int64_t n, int64_t k, real alpha,
                  const real* a, int64_t lda, int64_t stride_a, const real* b, int64_t ldb, int64_t stride_b, real beta,
                  real* c, int64_t ldc, int64_t stride_c);

/// Makes OpenBLAS's working memory for `threads` products at the same time. Without it the second buffer is asked of the system
/// when two products first happen to overlap, which may be at any step.
void reserve_gemm_buffers(int threads);

/// "OpenBLAS 0.3.21 ... (SkylakeX)", behind "own kernels with AVX-512; else " where those run: a part of a run's provenance.
std::string gemm_library();

}  // namespace attend::inline ATTEND_PRECISION
