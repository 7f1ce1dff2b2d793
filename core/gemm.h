#pragma once
/// The only interface to matrix products, single-threaded. Row-major, C := alpha * op(A) op(B) +
/// beta * C, with op(A) [M, K], op(B) [K, N], C [M, N]; lda, ldb, ldc are the distances between
/// stored rows. beta == 0 overwrites C, NaN included.
///
/// Where the machine has AVX-512, and for few rows or columns and small sizes everywhere, our own
/// kernels compute (kernels/product.h), which ask the system for no memory. On other machines
/// OpenBLAS computes the rest, after a check that it computes right (core/base/library_check.h);
/// where it does not, our own kernels compute everything. Bits of a row depend on M, N, K, the
/// transposes and beta, never on addresses or on other callers: so M must never be chosen from the
/// number of threads. (Those of our own kernels depend on K and the transposes; which kernel runs
/// depends on M and N.)
#include <string>

#include "core/base/transpose.h"
#include "core/real.h"

namespace attend::ATTEND_PRECISION {

void gemm(Transpose a_transposed, Transpose b_transposed, int64_t m, int64_t n, int64_t k, real alpha, const real* a,
          int64_t lda, const real* b, int64_t ldb, real beta, real* c, int64_t ldc);

/// Where OpenBLAS takes part: checks it, in a child process, unless that is known from an earlier
/// start. A program does this first, before it starts a thread; the first product does it where the
/// program did not.
void prepare_gemm();

/// Allocates OpenBLAS's working memory for `threads` products at the same time, where it is used.
/// Without it the second buffer is asked of the system when two products first happen to overlap,
/// which may be at any step.
void reserve_gemm_buffers(int threads);

/// Which kernels compute, for a run's log: "own kernels with AVX-512", or "own kernels with AVX2
/// for narrow and small products, OpenBLAS ... (Haswell) for the rest".
std::string gemm_library();

}  // namespace attend::ATTEND_PRECISION
