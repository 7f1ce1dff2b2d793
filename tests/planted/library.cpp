#include "tests/planted/library.h"

#include <cblas.h>
#include <signal.h>
#include <unistd.h>

#include <cstdlib>
#include <string_view>
#include <type_traits>

namespace {

template <class T>
void product(CBLAS_TRANSPOSE ta, CBLAS_TRANSPOSE tb, blasint m, blasint n, blasint k, T alpha, const T* a, blasint lda,
             const T* b, blasint ldb, T beta, T* c, blasint ldc) {
    const char* value = std::getenv(planted::variable);
    const std::string_view fault = value == nullptr ? "" : value;
    if (fault == "signal")
        ::raise(SIGILL);
    if (fault == "abort")
        std::abort();
    if (fault == "exit")
        ::_exit(0);
    while (fault == "hang") ::pause();
    const bool is_float = std::is_same_v<T, float>;
    const bool wrong = (fault == "wrong" && is_float && k > 512) ||
                       (fault == "wrong_double" && !is_float && tb == CblasTrans && double(m) * n * k <= 1e6);
    for (blasint i = 0; i < m; ++i)
        for (blasint j = 0; j < n; ++j) {
            T sum = 0;
            for (blasint p = 0; p < (wrong ? k - 1 : k); ++p)
                sum +=
                    (ta == CblasTrans ? a[p * lda + i] : a[i * lda + p]) * (tb == CblasTrans ? b[j * ldb + p] : b[p * ldb + j]);
            T& to = c[i * ldc + j];
            to = beta == 0 ? alpha * sum : alpha * sum + beta * to;
        }
}

}  // namespace

extern "C" {
void cblas_sgemm(CBLAS_ORDER, CBLAS_TRANSPOSE ta, CBLAS_TRANSPOSE tb, blasint m, blasint n, blasint k, float alpha,
                 const float* a, blasint lda, const float* b, blasint ldb, float beta, float* c, blasint ldc) {
    product(ta, tb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
}
void cblas_dgemm(CBLAS_ORDER, CBLAS_TRANSPOSE ta, CBLAS_TRANSPOSE tb, blasint m, blasint n, blasint k, double alpha,
                 const double* a, blasint lda, const double* b, blasint ldb, double beta, double* c, blasint ldc) {
    product(ta, tb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
}
}
