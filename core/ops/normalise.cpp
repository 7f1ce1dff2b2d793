#include "core/ops/normalise.h"

#include <algorithm>
#include <cmath>

#include "core/kernels/dropout.h"
#include "core/kernels/norm.h"
#include "core/kernels/softmax.h"
#include "core/ops/elementwise.h"

namespace attend::ATTEND_PRECISION {

// y = softmax(s x); dx = s y (dy - sum_k y_k dy_k)
Tensor softmax(const Tensor& x, const Ranges& ranges, real scale) {
    const int64_t rows = x.shape().rows(), columns = x.shape().columns();
    check_ranges("softmax", ranges, rows, columns, "shape", x.shape());
    Tensor y = Tensor::empty(x.shape());
    kernels::softmax(x.data(), scale, first_of(ranges), y.writable(), rows, columns);
    return record("softmax", y, {x}, [y = Saved(y), ranges, scale, rows, columns](Backward& b) {
        kernels::softmax_backward(y.data(), b.gradient(), scale, first_of(ranges), b.into(0), rows, columns);
    });
}

// y = x - ln sum e^x; dx = dy - e^y sum_k dy_k
Tensor log_softmax(const Tensor& x, const Ranges& ranges) {
    const int64_t rows = x.shape().rows(), columns = x.shape().columns();
    check_ranges("log_softmax", ranges, rows, columns, "shape", x.shape());
    Tensor y = Tensor::empty(x.shape());
    kernels::log_softmax(x.data(), first_of(ranges), y.writable(), rows, columns);
    return record("log_softmax", y, {x}, [y = Saved(y), ranges, rows, columns](Backward& b) {
        kernels::log_softmax_backward(y.data(), b.gradient(), first_of(ranges), b.into(0), rows, columns);
    });
}

// y = max(s x - tau, 0); dx = s (dy - mean of dy over the support) on the support
Tensor sparsemax(const Tensor& x, const Ranges& ranges, real scale) {
    const int64_t rows = x.shape().rows(), columns = x.shape().columns();
    check_ranges("sparsemax", ranges, rows, columns, "shape", x.shape());
    Tensor y = Tensor::empty(x.shape());
    kernels::sparsemax(x.data(), scale, first_of(ranges), y.writable(), rows, columns);
    return record("sparsemax", y, {x}, [y = Saved(y), ranges, scale, rows, columns](Backward& b) {
        kernels::sparsemax_backward(y.data(), b.gradient(), scale, first_of(ranges), b.into(0), rows, columns);
    });
}

// y = gain h + bias, h = (x - mean) rstd; the backward's formulas stand at the kernel
Tensor layer_norm(const Tensor& x, const Tensor& gain, const Tensor& bias, real epsilon) {
    const int64_t rows = x.shape().rows(), columns = x.shape().columns();
    require(x.rank() >= 1 && (!gain.defined() || gain.shape() == Shape{columns}) &&
                (!bias.defined() || bias.shape() == Shape{columns}),
            "layer_norm: sizes differ: x {}, gain {}, bias {}", x, gain, bias);
    require(epsilon > 0, "layer_norm: epsilon out of range: epsilon {}, more than {}", epsilon, 0);
    Tensor y = Tensor::empty(x.shape()), statistics = Tensor::empty({2, rows});
    kernels::layer_norm(x.data(), gain.data(), bias.data(), epsilon, y.writable(), statistics.writable(),
                        statistics.writable() + rows, rows, columns);
    return record("layer_norm", y, {x, gain, bias}, [=, x = Saved(x), gain = Saved(gain), s = Saved(statistics)](Backward& b) {
        const auto run = [&](Destination dx, Destination dgain, Destination dbias) {
            kernels::layer_norm_backward(x.data(), gain.data(), s.data(), s.data() + rows, b.gradient(), dx, dgain, dbias, rows,
                                         columns);
        };
        const Destination dx = b.wanted(0), dgain = b.wanted(1), dbias = b.wanted(2);
        if (b.distinct({0, 1, 2}))
            return run(dx, dgain, dbias);
        run(dx, {}, {});
        run({}, dgain, {});
        run({}, {}, dbias);
    });
}

// y = gain h, h = x r, r = 1 / sqrt(mean of x^2 + epsilon); the backward's formulas stand at the
// kernel
Tensor rms_norm(const Tensor& x, const Tensor& gain, real epsilon) {
    const int64_t rows = x.shape().rows(), columns = x.shape().columns();
    require(x.rank() >= 1 && (!gain.defined() || gain.shape() == Shape{columns}), "rms_norm: sizes differ: x {}, gain {}", x,
            gain);
    require(epsilon > 0, "rms_norm: epsilon out of range: epsilon {}, more than {}", epsilon, 0);
    Tensor y = Tensor::empty(x.shape()), r = Tensor::empty({rows});
    kernels::rms_norm(x.data(), gain.data(), epsilon, y.writable(), r.writable(), rows, columns);
    return record("rms_norm", y, {x, gain}, [=, x = Saved(x), gain = Saved(gain), r = Saved(r)](Backward& b) {
        const auto run = [&](Destination dx, Destination dgain) {
            kernels::rms_norm_backward(x.data(), gain.data(), r.data(), b.gradient(), dx, dgain, rows, columns);
        };
        const Destination dx = b.wanted(0), dgain = b.wanted(1);
        if (b.distinct({0, 1}))
            return run(dx, dgain);
        run(dx, {});
        run({}, dgain);
    });
}

// y = x / sqrt(n mean of x^2 + epsilon) = rms_norm(x) / sqrt(n) with its epsilon divided by n
Tensor unit_rows(const Tensor& x, real epsilon) {
    require(epsilon > 0, "unit_rows: epsilon out of range: epsilon {}, more than {}", epsilon, 0);
    const auto n = static_cast<real>(std::max<int64_t>(1, x.shape().columns()));
    return scale(rms_norm(x, {}, epsilon / n), 1 / std::sqrt(n));
}

// y = x keep / (1 - p); dx = dy keep / (1 - p), the mask drawn again
Tensor dropout(const Tensor& x, real probability, const Draws& draws) {
    require(probability >= 0 && probability < 1, "dropout: probability out of range: probability {}, at least 0 and below {}",
            probability, 1);
    if (probability == 0 || x.size() == 0)
        return x;
    const int64_t rows = x.rank() == 0 ? 1 : x.dim(0), columns = x.size() / rows;
    Tensor y = Tensor::empty(x.shape());
    kernels::dropout(x.data(), probability, draws, {y.writable(), Write::set}, rows, columns);
    return record("dropout", y, {x},
                  [=](Backward& b) { kernels::dropout(b.gradient(), probability, draws, b.into(0), rows, columns); });
}

}  // namespace attend::ATTEND_PRECISION
