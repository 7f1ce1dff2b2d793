#include "core/base/openblas.h"

#include <cblas.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <cstdlib>

// OpenBLAS's own allocator of working memory, which its headers do not declare.
extern "C" {
void* blas_memory_alloc(int position);
void blas_memory_free(void* buffer);
}

namespace attend::openblas {

namespace {
// Before OpenBLAS initialises itself, so that it starts no threads: they would only map buffers of
// their own, at any moment.
__attribute__((constructor(101))) void start_no_threads() { setenv("OPENBLAS_NUM_THREADS", "1", 1); }

// Once, before the first product: one level of parallelism, and it is ours. Not in a static
// initialiser: linked statically, OpenBLAS initialises itself after this file would, and the thread
// that an early call starts reads its unset tables.
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
}  // namespace

void product(Transpose ta, Transpose tb, int64_t m, int64_t n, int64_t k, float alpha, const float* a, int64_t lda,
             const float* b, int64_t ldb, float beta, float* c, int64_t ldc) {
    use_one_thread();
    cblas_sgemm(CblasRowMajor, flag(ta), flag(tb), narrow(m), narrow(n), narrow(k), alpha, a, narrow(lda), b, narrow(ldb), beta,
                c, narrow(ldc));
}

void product(Transpose ta, Transpose tb, int64_t m, int64_t n, int64_t k, double alpha, const double* a, int64_t lda,
             const double* b, int64_t ldb, double beta, double* c, int64_t ldc) {
    use_one_thread();
    cblas_dgemm(CblasRowMajor, flag(ta), flag(tb), narrow(m), narrow(n), narrow(k), alpha, a, narrow(lda), b, narrow(ldb), beta,
                c, narrow(ldc));
}

void reserve_buffers(int threads) {
    use_one_thread();
    std::array<void*, 64> buffers{};  // OpenBLAS itself is built for 64 at most
    const auto n = static_cast<std::size_t>(std::clamp(threads, 0, 64));
    for (std::size_t i = 0; i < n; ++i) buffers[i] = blas_memory_alloc(0);
    for (std::size_t i = 0; i < n; ++i) blas_memory_free(buffers[i]);
}

std::string name() { return std::string(openblas_get_config()) + " (" + openblas_get_corename() + ")"; }

}  // namespace attend::openblas
