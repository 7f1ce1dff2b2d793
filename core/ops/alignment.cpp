#include "core/ops/alignment.h"

#include "core/kernels/entmax.h"

namespace attend::ATTEND_PRECISION {

// y = max(s x / 2 - tau, 0)^2; dx = s r (dy - sum_k r_k dy_k / sum_k r_k), r = y^(1/2)
Tensor entmax15(const Tensor& x, const Ranges& ranges, real scale) {
    const int64_t rows = x.shape().rows(), columns = x.shape().columns();
    check_ranges("entmax15", ranges, rows, columns, "shape", x.shape());
    Tensor y = Tensor::empty(x.shape());
    kernels::entmax15(x.data(), scale, first_of(ranges), y.writable(), rows, columns);
    return record("entmax15", y, {x}, [y = Saved(y), ranges, scale, rows, columns](Backward& b) {
        kernels::entmax_backward(y.data(), b.gradient(), real{1.5}, scale, first_of(ranges), b.into(0), rows, columns);
    });
}

// y = max((alpha - 1) s x - tau, 0)^(1 / (alpha - 1)); dx as above with r = y^(2 - alpha) on the support
Tensor entmax(const Tensor& x, real alpha, const Ranges& ranges, real scale) {
    const int64_t rows = x.shape().rows(), columns = x.shape().columns();
    require(alpha > 1 && alpha <= 2, "entmax: alpha out of range: alpha {}, more than {} and at most {}", alpha, 1, 2);
    check_ranges("entmax", ranges, rows, columns, "shape", x.shape());
    Tensor y = Tensor::empty(x.shape());
    kernels::entmax(x.data(), alpha, scale, first_of(ranges), y.writable(), rows, columns);
    return record("entmax", y, {x}, [y = Saved(y), alpha, ranges, scale, rows, columns](Backward& b) {
        kernels::entmax_backward(y.data(), b.gradient(), alpha, scale, first_of(ranges), b.into(0), rows, columns);
    });
}

}  // namespace attend::ATTEND_PRECISION
