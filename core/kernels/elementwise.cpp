#include "core/kernels/elementwise.h"

#include "core/kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/elementwise.cpp"
#include "hwy/foreach_target.h"
// Behind foreach_target.h.
#include "core/kernels/vector-inl.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace attend::ATTEND_PRECISION::kernels::HWY_NAMESPACE {

/// y[i] = f(x[i])
template <class F>
HWY_INLINE void unary(const real* x, real* y, int64_t n, F f) {
    write({y, Write::set}, n, [&](auto part, int64_t i) HWY_ATTR { return f(part.load(x + i)); });
}

void tanh(const real* x, real* y, int64_t n) {
    unary(x, y, n, [](V v) HWY_ATTR { return tanh_of(v); });
}
void sigmoid(const real* x, real* y, int64_t n) {
    unary(x, y, n, [](V v) HWY_ATTR { return sigmoid_of(v); });
}
void exp(const real* x, real* y, int64_t n) {
    unary(x, y, n, [](V v) HWY_ATTR { return exp_of(v); });
}
void log(const real* x, real* y, int64_t n) {
    unary(x, y, n, [](V v) HWY_ATTR { return log_of(v); });
}
void sqrt(const real* x, real* y, int64_t n) {
    unary(x, y, n, [](V v) HWY_ATTR { return hn::Sqrt(v); });
}
void square(const real* x, real* y, int64_t n) {
    unary(x, y, n, [](V v) HWY_ATTR { return v * v; });
}
void relu(const real* x, real* y, int64_t n) {
    unary(x, y, n, [](V v) HWY_ATTR { return at_least(v, hn::Zero(d)); });
}
void negate(const real* x, real* y, int64_t n) {
    unary(x, y, n, [](V v) HWY_ATTR { return hn::Neg(v); });
}
void absolute(const real* x, real* y, int64_t n) {
    unary(x, y, n, [](V v) HWY_ATTR { return hn::Abs(v); });
}
void shift(const real* x, real s, real* y, int64_t n) {
    unary(x, y, n, [s](V v) HWY_ATTR { return v + set(s); });
}
void fill(real value, real* y, int64_t n) {
    write({y, Write::set}, n, [value](auto, int64_t) HWY_ATTR { return set(value); });
}
void axpy(real scale, const real* x, Destination y, int64_t n) {
    write(y, n, [=](auto part, int64_t i) HWY_ATTR { return set(scale) * part.load(x + i); });
}

/// dx[i] (=|+=) f(saved[i], dy[i]), the saved value being the forward's output or input.
template <class F>
HWY_INLINE void unary_backward(const real* saved, const real* dy, Destination dx, int64_t n, F f) {
    write(dx, n, [&](auto part, int64_t i) HWY_ATTR { return f(part.load(saved + i), part.load(dy + i)); });
}

void tanh_backward(const real* y, const real* dy, Destination dx, int64_t n) {
    unary_backward(y, dy, dx, n, [](V v, V g) HWY_ATTR { return g * hn::NegMulAdd(v, v, set(1)); });
}
void sigmoid_backward(const real* y, const real* dy, Destination dx, int64_t n) {
    unary_backward(y, dy, dx, n, [](V v, V g) HWY_ATTR { return g * v * (set(1) - v); });
}
void exp_backward(const real* y, const real* dy, Destination dx, int64_t n) {
    unary_backward(y, dy, dx, n, [](V v, V g) HWY_ATTR { return g * v; });
}
void log_backward(const real* x, const real* dy, Destination dx, int64_t n) {
    unary_backward(x, dy, dx, n, [](V v, V g) HWY_ATTR { return g / v; });
}
void sqrt_backward(const real* y, const real* dy, Destination dx, int64_t n) {
    unary_backward(y, dy, dx, n, [](V v, V g) HWY_ATTR { return g / (v + v); });
}
void square_backward(const real* x, const real* dy, Destination dx, int64_t n) {
    unary_backward(x, dy, dx, n, [](V v, V g) HWY_ATTR { return g * (v + v); });
}
void relu_backward(const real* y, const real* dy, Destination dx, int64_t n) {
    unary_backward(y, dy, dx, n, [](V v, V g) HWY_ATTR { return hn::IfThenElseZero(v > hn::Zero(d), g); });
}
void absolute_backward(const real* x, const real* dy, Destination dx, int64_t n) {
    unary_backward(x, dy, dx, n, [](V v, V g) HWY_ATTR {
        const V signed_g = hn::IfThenElse(v < hn::Zero(d), hn::Neg(g), g);
        return hn::IfThenZeroElse(v == hn::Zero(d), signed_g);
    });
}

/// y[i] (=|+=) f(a[i], b[i]), where an operand may be one repeated value.
template <class F>
HWY_INLINE void binary(const real* a, Step a_step, const real* b, Step b_step, Destination y, int64_t n, F f) {
    if (n <= 0)
        return;
    if (a_step == Step::one && b_step == Step::one) {
        write(y, n, [&](auto part, int64_t i) HWY_ATTR { return f(part.load(a + i), part.load(b + i)); });
    } else if (b_step == Step::one) {
        const V va = set(*a);
        write(y, n, [&](auto part, int64_t i) HWY_ATTR { return f(va, part.load(b + i)); });
    } else if (a_step == Step::one) {
        const V vb = set(*b);
        write(y, n, [&](auto part, int64_t i) HWY_ATTR { return f(part.load(a + i), vb); });
    } else {
        const V value = f(set(*a), set(*b));
        write(y, n, [&](auto, int64_t) HWY_ATTR { return value; });
    }
}

void add(const real* a, Step a_step, const real* b, Step b_step, Destination y, int64_t n) {
    binary(a, a_step, b, b_step, y, n, [](V u, V v) HWY_ATTR { return u + v; });
}
void subtract(const real* a, Step a_step, const real* b, Step b_step, Destination y, int64_t n) {
    binary(a, a_step, b, b_step, y, n, [](V u, V v) HWY_ATTR { return u - v; });
}
void multiply(const real* a, Step a_step, const real* b, Step b_step, Destination y, int64_t n) {
    binary(a, a_step, b, b_step, y, n, [](V u, V v) HWY_ATTR { return u * v; });
}
void divide(const real* a, Step a_step, const real* b, Step b_step, Destination y, int64_t n) {
    binary(a, a_step, b, b_step, y, n, [](V u, V v) HWY_ATTR { return u / v; });
}
void divide_backward_denominator(const real* y, const real* b, Step b_step, const real* dy, Destination db, int64_t n) {
    if (n <= 0)
        return;
    const V repeated = set(*b);
    write(db, n, [&](auto part, int64_t i) HWY_ATTR {
        const V divisor = b_step == Step::one ? part.load(b + i) : repeated;
        return hn::Neg(part.load(dy + i) * part.load(y + i) / divisor);
    });
}

}  // namespace attend::ATTEND_PRECISION::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace attend::ATTEND_PRECISION::kernels {

HWY_EXPORT(tanh);
HWY_EXPORT(sigmoid);
HWY_EXPORT(exp);
HWY_EXPORT(log);
HWY_EXPORT(sqrt);
HWY_EXPORT(square);
HWY_EXPORT(relu);
HWY_EXPORT(negate);
HWY_EXPORT(absolute);
void tanh(const real* x, real* y, int64_t n) { HWY_DYNAMIC_DISPATCH(tanh)(x, y, n); }
void sigmoid(const real* x, real* y, int64_t n) { HWY_DYNAMIC_DISPATCH(sigmoid)(x, y, n); }
void exp(const real* x, real* y, int64_t n) { HWY_DYNAMIC_DISPATCH(exp)(x, y, n); }
void log(const real* x, real* y, int64_t n) { HWY_DYNAMIC_DISPATCH(log)(x, y, n); }
void sqrt(const real* x, real* y, int64_t n) { HWY_DYNAMIC_DISPATCH(sqrt)(x, y, n); }
void square(const real* x, real* y, int64_t n) { HWY_DYNAMIC_DISPATCH(square)(x, y, n); }
void relu(const real* x, real* y, int64_t n) { HWY_DYNAMIC_DISPATCH(relu)(x, y, n); }
void negate(const real* x, real* y, int64_t n) { HWY_DYNAMIC_DISPATCH(negate)(x, y, n); }
void absolute(const real* x, real* y, int64_t n) { HWY_DYNAMIC_DISPATCH(absolute)(x, y, n); }

HWY_EXPORT(tanh_backward);
HWY_EXPORT(sigmoid_backward);
HWY_EXPORT(exp_backward);
HWY_EXPORT(log_backward);
HWY_EXPORT(sqrt_backward);
HWY_EXPORT(square_backward);
HWY_EXPORT(relu_backward);
HWY_EXPORT(absolute_backward);
void tanh_backward(const real* y, const real* dy, Destination dx, int64_t n) {
    HWY_DYNAMIC_DISPATCH(tanh_backward)(y, dy, dx, n);
}
void sigmoid_backward(const real* y, const real* dy, Destination dx, int64_t n) {
    HWY_DYNAMIC_DISPATCH(sigmoid_backward)(y, dy, dx, n);
}
void exp_backward(const real* y, const real* dy, Destination dx, int64_t n) {
    HWY_DYNAMIC_DISPATCH(exp_backward)(y, dy, dx, n);
}
void log_backward(const real* x, const real* dy, Destination dx, int64_t n) {
    HWY_DYNAMIC_DISPATCH(log_backward)(x, dy, dx, n);
}
void sqrt_backward(const real* y, const real* dy, Destination dx, int64_t n) {
    HWY_DYNAMIC_DISPATCH(sqrt_backward)(y, dy, dx, n);
}
void square_backward(const real* x, const real* dy, Destination dx, int64_t n) {
    HWY_DYNAMIC_DISPATCH(square_backward)(x, dy, dx, n);
}
void relu_backward(const real* y, const real* dy, Destination dx, int64_t n) {
    HWY_DYNAMIC_DISPATCH(relu_backward)(y, dy, dx, n);
}
void absolute_backward(const real* x, const real* dy, Destination dx, int64_t n) {
    HWY_DYNAMIC_DISPATCH(absolute_backward)(x, dy, dx, n);
}

HWY_EXPORT(add);
HWY_EXPORT(subtract);
HWY_EXPORT(multiply);
HWY_EXPORT(divide);
HWY_EXPORT(divide_backward_denominator);
void add(const real* a, Step a_step, const real* b, Step b_step, Destination y, int64_t n) {
    HWY_DYNAMIC_DISPATCH(add)(a, a_step, b, b_step, y, n);
}
void subtract(const real* a, Step a_step, const real* b, Step b_step, Destination y, int64_t n) {
    HWY_DYNAMIC_DISPATCH(subtract)(a, a_step, b, b_step, y, n);
}
void multiply(const real* a, Step a_step, const real* b, Step b_step, Destination y, int64_t n) {
    HWY_DYNAMIC_DISPATCH(multiply)(a, a_step, b, b_step, y, n);
}
void divide(const real* a, Step a_step, const real* b, Step b_step, Destination y, int64_t n) {
    HWY_DYNAMIC_DISPATCH(divide)(a, a_step, b, b_step, y, n);
}
void divide_backward_denominator(const real* y, const real* b, Step b_step, const real* dy, Destination db, int64_t n) {
    HWY_DYNAMIC_DISPATCH(divide_backward_denominator)(y, b, b_step, dy, db, n);
}

HWY_EXPORT(axpy);
HWY_EXPORT(shift);
HWY_EXPORT(fill);
void axpy(real scale, const real* x, Destination y, int64_t n) { HWY_DYNAMIC_DISPATCH(axpy)(scale, x, y, n); }
void shift(const real* x, real s, real* y, int64_t n) { HWY_DYNAMIC_DISPATCH(shift)(x, s, y, n); }
void fill(real value, real* y, int64_t n) { HWY_DYNAMIC_DISPATCH(fill)(value, y, n); }

}  // namespace attend::ATTEND_PRECISION::kernels
#endif
