#include "core/kernels/elementwise.h"

#include "core/kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/elementwise.cpp"
#include "hwy/foreach_target.h"
// After foreach_target.h.
#include "core/kernels/vector-inl.h"

HWY_BEFORE_NAMESPACE();
namespace attend::ATTEND_PRECISION::kernels::HWY_NAMESPACE {

#define ATTEND_UNARY(name, value)                         \
    void name(const real* x, real* y, int64_t n) {        \
        map(x, y, n, [](V v) HWY_ATTR { return value; }); \
    }
ATTEND_UNARY(tanh, tanh_of(v))
ATTEND_UNARY(sigmoid, sigmoid_of(v))
ATTEND_UNARY(exp, exp_of(v))
ATTEND_UNARY(log, log_of(v))
ATTEND_UNARY(sqrt, hn::Sqrt(v))
ATTEND_UNARY(square, (v * v))
ATTEND_UNARY(relu, at_least(v, hn::Zero(d)))
ATTEND_UNARY(negate, hn::Neg(v))
ATTEND_UNARY(absolute, hn::Abs(v))
#undef ATTEND_UNARY

void shift(const real* x, real s, real* y, int64_t n) {
    map(x, y, n, [s](V v) HWY_ATTR { return v + set(s); });
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

#define ATTEND_UNARY_BACKWARD(name, value)                                         \
    void name(const real* saved, const real* dy, Destination dx, int64_t n) {      \
        unary_backward(saved, dy, dx, n, [](V v, V g) HWY_ATTR { return value; }); \
    }
ATTEND_UNARY_BACKWARD(tanh_backward, (g * hn::NegMulAdd(v, v, set(1))))
ATTEND_UNARY_BACKWARD(sigmoid_backward, (g * v * (set(1) - v)))
ATTEND_UNARY_BACKWARD(exp_backward, (g * v))
ATTEND_UNARY_BACKWARD(log_backward, g / v)
ATTEND_UNARY_BACKWARD(sqrt_backward, g / (v + v))
ATTEND_UNARY_BACKWARD(square_backward, (g * (v + v)))
ATTEND_UNARY_BACKWARD(relu_backward, hn::IfThenElseZero(v > hn::Zero(d), g))
ATTEND_UNARY_BACKWARD(absolute_backward, hn::IfThenZeroElse(v == hn::Zero(d), hn::IfThenElse(v < hn::Zero(d), hn::Neg(g), g)))
#undef ATTEND_UNARY_BACKWARD

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

#define ATTEND_BINARY(name, operation)                                                            \
    void name(const real* a, Step a_step, const real* b, Step b_step, Destination y, int64_t n) { \
        binary(a, a_step, b, b_step, y, n, [](V u, V v) HWY_ATTR { return u operation v; });      \
    }
ATTEND_BINARY(add, +)
ATTEND_BINARY(subtract, -)
ATTEND_BINARY(multiply, *)
ATTEND_BINARY(divide, /)
#undef ATTEND_BINARY

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

ATTEND_KERNEL(tanh);
ATTEND_KERNEL(sigmoid);
ATTEND_KERNEL(exp);
ATTEND_KERNEL(log);
ATTEND_KERNEL(sqrt);
ATTEND_KERNEL(square);
ATTEND_KERNEL(relu);
ATTEND_KERNEL(tanh_backward);
ATTEND_KERNEL(sigmoid_backward);
ATTEND_KERNEL(exp_backward);
ATTEND_KERNEL(log_backward);
ATTEND_KERNEL(sqrt_backward);
ATTEND_KERNEL(square_backward);
ATTEND_KERNEL(relu_backward);
ATTEND_KERNEL(add);
ATTEND_KERNEL(subtract);
ATTEND_KERNEL(multiply);
ATTEND_KERNEL(divide);
ATTEND_KERNEL(divide_backward_denominator);
ATTEND_KERNEL(axpy);
ATTEND_KERNEL(shift);
ATTEND_KERNEL(fill);
ATTEND_KERNEL(negate);
ATTEND_KERNEL(absolute);
ATTEND_KERNEL(absolute_backward);

}  // namespace attend::ATTEND_PRECISION::kernels
#endif
