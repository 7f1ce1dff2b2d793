#include "core/ops/alignment.h"

#include "core/kernels/copy.h"
#include "core/kernels/elementwise.h"
#include "core/kernels/entmax.h"
#include "core/kernels/reduce.h"
#include "core/kernels/softmax.h"

namespace attend::ATTEND_PRECISION {

namespace {
// y (=|+=) x inside of the ranges, 0 outside
void copy_within(const real* x, const Ranges& ranges, Destination y, int64_t columns) {
    if (y.write == Write::set)
        kernels::fill(0, y.data, static_cast<int64_t>(ranges.size()) * columns);
    for (std::size_t row = 0; row < ranges.size(); ++row) {
        const int64_t first = static_cast<int64_t>(row) * columns + ranges[row].begin;
        kernels::copy_rows(x + first, 0, {y.data + first, y.write}, 0, 1, ranges[row].end - ranges[row].begin);
    }
}
}  // namespace

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

// y = e^(s x) / (e^b + sum e^(s x)), l = 1 - sum y; dx = s y (dy - sum_k y_k dy_k), db = -sum_rows l sum_k y_k dy_k
Tensor softmax_with_sink(const Tensor& x, const Tensor& sink, const Ranges& ranges, real scale) {
    const int64_t rows = x.shape().rows(), columns = x.shape().columns();
    require(!sink.defined() || sink.shape() == Shape{1}, "softmax_with_sink: sink of another shape: sink {}, needs [{}]", sink,
            1);
    check_ranges("softmax_with_sink", ranges, rows, columns, "shape", x.shape());
    Tensor y = Tensor::empty(x.shape()), left = Tensor::empty({rows});
    kernels::softmax_with_sink(x.data(), scale, sink.defined() ? sink.item() : real{0}, first_of(ranges), y.writable(),
                               left.writable(), rows, columns);
    return record("softmax_with_sink", y, {x, sink}, [=, y = Saved(y), left = Saved(left)](Backward& b) {
        if (b.needs(0))
            kernels::softmax_backward(y.data(), b.gradient(), scale, first_of(ranges), b.into(0), rows, columns);
        if (b.needs(1)) {
            double sum = 0;
            for (int64_t row = 0; row < rows; ++row)
                sum -= static_cast<double>(left.data()[row]) *
                       static_cast<double>(kernels::dot(y.data() + row * columns, b.gradient() + row * columns, columns));
            const real db = static_cast<real>(sum);
            kernels::axpy(1, &db, b.into(1), 1);
        }
    });
}

// y = softmax over the k largest; dx = s y (dy - sum_k y_k dy_k)
Tensor top_softmax(const Tensor& x, int64_t k, const Ranges& ranges, real scale) {
    const int64_t rows = x.shape().rows(), columns = x.shape().columns();
    require(k >= 1, "top_softmax: k out of range: k {}, at least {}", k, 1);
    check_ranges("top_softmax", ranges, rows, columns, "shape", x.shape());
    Tensor y = Tensor::empty(x.shape());
    kernels::top_softmax(x.data(), k, scale, first_of(ranges), y.writable(), rows, columns);
    return record("top_softmax", y, {x}, [y = Saved(y), ranges, scale, rows, columns](Backward& b) {
        kernels::softmax_backward(y.data(), b.gradient(), scale, first_of(ranges), b.into(0), rows, columns);
    });
}

// y = x inside, 0 outside; dx = dy inside, 0 outside
Tensor within(const Tensor& x, const Ranges& ranges) {
    const int64_t rows = x.shape().rows(), columns = x.shape().columns();
    check_ranges("within", ranges, rows, columns, "shape", x.shape());
    if (ranges.empty())
        return x;
    Tensor y = Tensor::empty(x.shape());
    copy_within(x.data(), ranges, {y.writable(), Write::set}, columns);
    return record("within", y, {x}, [ranges, columns](Backward& b) { copy_within(b.gradient(), ranges, b.into(0), columns); });
}

}  // namespace attend::ATTEND_PRECISION
