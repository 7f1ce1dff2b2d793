#include "core/ops/reduce.h"

#include <algorithm>

#include "core/kernels/copy.h"
#include "core/kernels/elementwise.h"
#include "core/kernels/reduce.h"
#include "core/ops/elementwise.h"

namespace attend::ATTEND_PRECISION {

// y = sum_i x_i; dx_i = dy
Tensor sum(const Tensor& x) {
    const Tensor y = Tensor::scalar(kernels::sum(x.data(), x.size()));
    return record("sum", y, {x}, [n = x.size()](Backward& b) {
        const real dy = b.gradient()[0];
        const Destination dx = b.into(0);
        if (dx.write == Write::set)
            kernels::fill(dy, dx.data, n);
        else
            kernels::shift(dx.data, dy, dx.data, n);
    });
}

// x [outer, n, inner]: y[o, i] = sum_k x[o, k, i]; dx[o, k, i] = dy[o, i]
Tensor sum(const Tensor& x, int axis) {
    const int a = x.shape().checked(axis);
    const int64_t outer = x.shape().outer(a), n = x.dim(a), inner = x.shape().inner(a);
    Tensor y = Tensor::empty(x.shape().without(a));
    real* to = y.writable();
    for (int64_t o = 0; o < outer; ++o)
        if (inner == 1)
            to[o] = kernels::sum(x.data() + o * n, n);
        else
            kernels::column_sums(x.data() + o * n * inner, n, inner, inner, {to + o * inner, Write::set});
    return record("sum", y, {x}, [outer, n, inner](Backward& b) {
        const Destination dx = b.into(0);
        for (int64_t o = 0; o < outer; ++o)
            kernels::copy_rows(b.gradient() + o * inner, 0, {dx.data + o * n * inner, dx.write}, inner, n, inner);
    });
}

Tensor mean(const Tensor& x) {
    require(x.size() > 0, "mean: no elements: shape {}, size {}", x.shape(), x.size());
    return scale(sum(x), real{1} / static_cast<real>(x.size()));
}

Tensor mean(const Tensor& x, int axis) {
    require(x.dim(axis) > 0, "mean: empty axis: shape {}, axis {}", x.shape(), axis);
    return scale(sum(x, axis), real{1} / static_cast<real>(x.dim(axis)));
}

// x [outer, n, inner]: y[o, i] = max_k x[o, k, i]; dx at the first largest k
Tensor max(const Tensor& x, int axis) {
    const int a = x.shape().checked(axis);
    const int64_t outer = x.shape().outer(a), n = x.dim(a), inner = x.shape().inner(a);
    require(n > 0, "max: empty axis: shape {}, axis {}", x.shape(), axis);
    Tensor y = Tensor::empty(x.shape().without(a));
    Array<int64_t> from(static_cast<std::size_t>(y.size()));
    real* to = y.writable();
    for (int64_t o = 0; o < outer; ++o)
        for (int64_t i = 0; i < inner; ++i) {
            int64_t best = o * n * inner + i;
            for (int64_t k = 1; k < n; ++k)
                if (const int64_t at = (o * n + k) * inner + i; x.data()[at] > x.data()[best])
                    best = at;
            to[o * inner + i] = x.data()[best];
            from[static_cast<std::size_t>(o * inner + i)] = best;
        }
    return record("max", y, {x}, [from = std::move(from), size = x.size()](Backward& b) {
        const Destination dx = b.into(0);
        if (dx.write == Write::set)
            kernels::fill(0, dx.data, size);
        for (std::size_t i = 0; i < from.size(); ++i) dx.data[from[i]] += b.gradient()[i];
    });
}

}  // namespace attend::ATTEND_PRECISION
