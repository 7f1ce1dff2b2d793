#pragma once
/// The linked OpenBLAS, set to one thread: its products in float and in double, its working memory,
/// its name. The one place that includes cblas.h. Which products it computes, core/gemm.cpp
/// decides; whether it computes them right on this processor, core/base/library_check.h finds out.
#include <string>

#include "core/base/integers.h"
#include "core/base/transpose.h"

namespace attend::openblas {

/// C := alpha op(A) op(B) + beta C, sizes and places as in gemm(); every size at least 1 and below
/// 2^31.
void product(Transpose a_transposed, Transpose b_transposed, int64_t m, int64_t n, int64_t k, float alpha, const float* a,
             int64_t lda, const float* b, int64_t ldb, float beta, float* c, int64_t ldc);
void product(Transpose a_transposed, Transpose b_transposed, int64_t m, int64_t n, int64_t k, double alpha, const double* a,
             int64_t lda, const double* b, int64_t ldb, double beta, double* c, int64_t ldc);

/// Allocates the working memory of `threads` products at the same time, 64 at most: otherwise each
/// buffer is asked of the system when so many products first overlap, which may be at any step.
void reserve_buffers(int threads);

/// "OpenBLAS 0.3.21 ... (Haswell)": its version and how it was built, and the kernels that it chose
/// for this processor.
std::string name();

}  // namespace attend::openblas
