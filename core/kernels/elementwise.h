#pragma once
/// Elementwise kernels over n elements, n >= 0, any alignment. Formulas are per element. The output
/// may be the very array of an input, but must not overlap one otherwise. Backward kernels take
/// what the forward saved: its output y where that is enough, its input x otherwise; a Destination
/// without data asks for nothing.
#include "core/destination.h"

namespace attend::ATTEND_PRECISION::kernels {

/// y = tanh(x), within 3 units in the last place of the exact value; odd, never beyond -1 ... 1,
/// NaN stays NaN.
void tanh(const real* x, real* y, int64_t n);
/// y = 1 / (1 + e^-x), accurate relative to the result on both sides.
void sigmoid(const real* x, real* y, int64_t n);
/// y = e^x; +infinity beyond the largest finite value.
void exp(const real* x, real* y, int64_t n);
/// y = ln x; -infinity at 0, NaN below.
void log(const real* x, real* y, int64_t n);
/// y = square root of x; NaN below 0.
void sqrt(const real* x, real* y, int64_t n);
/// y = x^2
void square(const real* x, real* y, int64_t n);
/// y = max(x, 0); NaN stays NaN.
void relu(const real* x, real* y, int64_t n);

/// dx (=|+=) dy (1 - y^2)
void tanh_backward(const real* y, const real* dy, Destination dx, int64_t n);
/// dx (=|+=) dy y (1 - y)
void sigmoid_backward(const real* y, const real* dy, Destination dx, int64_t n);
/// dx (=|+=) dy y
void exp_backward(const real* y, const real* dy, Destination dx, int64_t n);
/// dx (=|+=) dy / x
void log_backward(const real* x, const real* dy, Destination dx, int64_t n);
/// dx (=|+=) dy / (2 y)
void sqrt_backward(const real* y, const real* dy, Destination dx, int64_t n);
/// dx (=|+=) 2 dy x
void square_backward(const real* x, const real* dy, Destination dx, int64_t n);
/// dx (=|+=) dy where y > 0, else 0
void relu_backward(const real* y, const real* dy, Destination dx, int64_t n);

/// How an operand advances: one element at a time, or `zero`: one value, repeated.
enum class Step { zero, one };

/// y (=|+=) a + b
void add(const real* a, Step a_step, const real* b, Step b_step, Destination y, int64_t n);
/// y (=|+=) a - b
void subtract(const real* a, Step a_step, const real* b, Step b_step, Destination y, int64_t n);
/// y (=|+=) a b
void multiply(const real* a, Step a_step, const real* b, Step b_step, Destination y, int64_t n);
/// y (=|+=) a / b
void divide(const real* a, Step a_step, const real* b, Step b_step, Destination y, int64_t n);
/// Gradient of y = a / b by its denominator: db (=|+=) -dy y / b, with y [n], dy [n] and db [n].
void divide_backward_denominator(const real* y, const real* b, Step b_step, const real* dy, Destination db, int64_t n);

/// y (=|+=) scale x
void axpy(real scale, const real* x, Destination y, int64_t n);
/// y = x + s
void shift(const real* x, real s, real* y, int64_t n);
/// y = value
void fill(real value, real* y, int64_t n);

}  // namespace attend::ATTEND_PRECISION::kernels
