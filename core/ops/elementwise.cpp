#include "core/ops/elementwise.h"

#include "core/broadcast.h"
#include "core/kernels/activation.h"
#include "core/kernels/elementwise.h"

namespace attend::ATTEND_PRECISION {

using kernels::Step;

namespace {

using BinaryKernel = void (*)(const real*, Step, const real*, Step, Destination, int64_t);

Step step(bool moves) { return moves ? Step::one : Step::zero; }

// y (=|+=) a (op) b over their broadcast shape `shape`.
void run_binary(BinaryKernel kernel, const Tensor& a, const Tensor& b, const Shape& shape, Destination y) {
    if (a.shape() == b.shape())
        return kernel(a.data(), Step::one, b.data(), Step::one, y, shape.size());
    broadcast_runs(a.shape(), b.shape(), shape, [&](int64_t i, int64_t j, int64_t k, int64_t n, bool moves_a, bool moves_b) {
        kernel(a.data() + i, step(moves_a), b.data() + j, step(moves_b), {y.data + k, y.write}, n);
    });
}

Tensor forward_binary(const char* op, BinaryKernel kernel, const Tensor& a, const Tensor& b) {
    Tensor y = Tensor::empty(broadcast_shape(op, a.shape(), b.shape()));
    run_binary(kernel, a, b, y.shape(), {y.writable(), Write::set});
    return y;
}

// y = a + sign b; da = dy, db = sign dy
Tensor plus_or_minus(const char* op, BinaryKernel kernel, const Tensor& a, const Tensor& b, real sign) {
    const Tensor y = forward_binary(op, kernel, a, b);
    return record(op, y, {broadcast(a), broadcast(b)}, [n = y.size(), sign](Backward& g) {
        if (g.needs(0))
            kernels::axpy(1, g.gradient(), g.into(0), n);
        if (g.needs(1))
            kernels::axpy(sign, g.gradient(), g.into(1), n);
    });
}

using UnaryKernel = void (*)(const real*, real*, int64_t);
using UnaryBackward = void (*)(const real*, const real*, Destination, int64_t);

enum class Keeps { input, output };

template <Keeps keeps>
Tensor unary(const char* op, UnaryKernel forward, UnaryBackward backward, const Tensor& x) {
    Tensor y = Tensor::empty(x.shape());
    forward(x.data(), y.writable(), x.size());
    return record(op, y, {x}, [kept = Saved(keeps == Keeps::input ? x : y), backward](Backward& b) {
        backward(kept.data(), b.gradient(), b.into(0), kept.size());
    });
}

using SlopeKernel = void (*)(const real*, real*, real*, int64_t);

// y = f(x); dx = dy f'(x), with the slope made along with y and kept in the place of x
Tensor with_slope(const char* op, UnaryKernel forward, SlopeKernel forward_and_slope, const Tensor& x) {
    Tensor y = Tensor::empty(x.shape());
    const Input inputs[] = {x};
    if (!detail::wants_recording(inputs)) {
        forward(x.data(), y.writable(), x.size());
        return record(op, y, {x}, [](Backward&) {});  // for checked mode
    }
    Tensor slope = Tensor::empty(x.shape());
    forward_and_slope(x.data(), y.writable(), slope.writable(), x.size());
    return record(op, y, {x}, [slope = Saved(slope)](Backward& b) {
        kernels::multiply(b.gradient(), Step::one, slope.data(), Step::one, b.into(0), slope.size());
    });
}

}  // namespace

// y = a + b; da = dy, db = dy
Tensor add(const Tensor& a, const Tensor& b) { return plus_or_minus("add", kernels::add, a, b, 1); }

// y = a - b; da = dy, db = -dy
Tensor subtract(const Tensor& a, const Tensor& b) { return plus_or_minus("subtract", kernels::subtract, a, b, -1); }

// y = a b; da = dy b, db = dy a
Tensor multiply(const Tensor& a, const Tensor& b) {
    const Tensor y = forward_binary("multiply", kernels::multiply, a, b);
    return record("multiply", y, {broadcast(a), broadcast(b)}, [a = Saved(a), b = Saved(b)](Backward& g) {
        const Tensor dy = g.gradient_tensor();
        if (g.needs(0))
            run_binary(kernels::multiply, dy, b, dy.shape(), g.into(0));
        if (g.needs(1))
            run_binary(kernels::multiply, dy, a, dy.shape(), g.into(1));
    });
}

// y = a / b; da = dy / b, db = -dy y / b
Tensor divide(const Tensor& a, const Tensor& b) {
    const Tensor y = forward_binary("divide", kernels::divide, a, b);
    return record("divide", y, {broadcast(a), broadcast(b)}, [y = Saved(y), b = Saved(b)](Backward& g) {
        const Tensor dy = g.gradient_tensor();
        if (g.needs(0))
            run_binary(kernels::divide, dy, b, dy.shape(), g.into(0));
        if (g.needs(1)) {
            const Destination db = g.into(1);
            broadcast_runs(y.shape(), b.shape(), y.shape(), [&](int64_t i, int64_t j, int64_t k, int64_t n, bool, bool moves) {
                kernels::divide_backward_denominator(y.data() + i, b.data() + j, step(moves), dy.data() + k,
                                                     {db.data + k, db.write}, n);
            });
        }
    });
}

// y = s x; dx = s dy
Tensor scale(const Tensor& x, real s) {
    Tensor y = Tensor::empty(x.shape());
    kernels::axpy(s, x.data(), {y.writable(), Write::set}, x.size());
    return record("scale", y, {x}, [s, n = x.size()](Backward& b) { kernels::axpy(s, b.gradient(), b.into(0), n); });
}

// y = x + s; dx = dy
Tensor shift(const Tensor& x, real s) {
    Tensor y = Tensor::empty(x.shape());
    kernels::shift(x.data(), s, y.writable(), x.size());
    return record("shift", y, {x}, [n = x.size()](Backward& b) { kernels::axpy(1, b.gradient(), b.into(0), n); });
}

Tensor negate(const Tensor& x) { return scale(x, -1); }
Tensor exp(const Tensor& x) { return unary<Keeps::output>("exp", kernels::exp, kernels::exp_backward, x); }
Tensor log(const Tensor& x) { return unary<Keeps::input>("log", kernels::log, kernels::log_backward, x); }
Tensor sqrt(const Tensor& x) { return unary<Keeps::output>("sqrt", kernels::sqrt, kernels::sqrt_backward, x); }
Tensor square(const Tensor& x) { return unary<Keeps::input>("square", kernels::square, kernels::square_backward, x); }
Tensor absolute(const Tensor& x) { return unary<Keeps::input>("absolute", kernels::absolute, kernels::absolute_backward, x); }
Tensor tanh(const Tensor& x) { return unary<Keeps::output>("tanh", kernels::tanh, kernels::tanh_backward, x); }
Tensor sigmoid(const Tensor& x) { return unary<Keeps::output>("sigmoid", kernels::sigmoid, kernels::sigmoid_backward, x); }
Tensor relu(const Tensor& x) { return unary<Keeps::output>("relu", kernels::relu, kernels::relu_backward, x); }
Tensor gelu(const Tensor& x) { return with_slope("gelu", kernels::gelu, kernels::gelu_with_slope, x); }
Tensor gelu_tanh(const Tensor& x) { return with_slope("gelu_tanh", kernels::gelu_tanh, kernels::gelu_tanh_with_slope, x); }
Tensor silu(const Tensor& x) { return unary<Keeps::input>("silu", kernels::silu, kernels::silu_backward, x); }

// y = u s(u) v; du = dy v s (1 + u (1 - s)), dv = dy u s
Tensor swiglu(const Tensor& x) {
    require(x.rank() >= 1 && x.dim(-1) % 2 == 0, "swiglu: two halves are needed: x {}, columns {}", x, x.shape().columns());
    const int64_t rows = x.shape().rows(), width = x.dim(-1) / 2;
    Tensor y = Tensor::empty(x.shape().with(-1, width));
    kernels::swiglu(x.data(), y.writable(), rows, width);
    return record("swiglu", y, {x}, [x = Saved(x), rows, width](Backward& b) {
        kernels::swiglu_backward(x.data(), b.gradient(), b.into(0), rows, width);
    });
}

}  // namespace attend::ATTEND_PRECISION
