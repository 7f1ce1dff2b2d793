#pragma once
/// Elementwise kernels over n elements, n >= 0, any alignment. Formulas are per element. The output
/// may be the very array of an input, but must not overlap one otherwise. Backward kernels take
/// what the forward saved: its output y where that is enough, its input x otherwise; a Destination
/// without data asks for nothing.
#include "core/kernels/kernel.h"

namespace attend::ATTEND_PRECISION::kernels {

/// y = tanh(x), within 3 units in the last place of the exact value; odd, never beyond -1 ... 1,
/// NaN stays NaN.
extern Kernel<void(const real* x, real* y, int64_t n)> tanh;
/// y = 1 / (1 + e^-x), accurate relative to the result on both sides.
extern Kernel<void(const real* x, real* y, int64_t n)> sigmoid;
/// y = e^x; +infinity beyond the largest finite value.
extern Kernel<void(const real* x, real* y, int64_t n)> exp;
/// y = ln x; -infinity at 0, NaN below.
extern Kernel<void(const real* x, real* y, int64_t n)> log;
/// y = square root of x; NaN below 0.
extern Kernel<void(const real* x, real* y, int64_t n)> sqrt;
/// y = x^2
extern Kernel<void(const real* x, real* y, int64_t n)> square;
/// y = max(x, 0); NaN stays NaN.
extern Kernel<void(const real* x, real* y, int64_t n)> relu;
/// y = -x
extern Kernel<void(const real* x, real* y, int64_t n)> negate;
/// y = |x|
extern Kernel<void(const real* x, real* y, int64_t n)> absolute;

/// dx (=|+=) dy (1 - y^2)
extern Kernel<void(const real* y, const real* dy, Destination dx, int64_t n)> tanh_backward;
/// dx (=|+=) dy y (1 - y)
extern Kernel<void(const real* y, const real* dy, Destination dx, int64_t n)> sigmoid_backward;
/// dx (=|+=) dy y
extern Kernel<void(const real* y, const real* dy, Destination dx, int64_t n)> exp_backward;
/// dx (=|+=) dy / x
extern Kernel<void(const real* x, const real* dy, Destination dx, int64_t n)> log_backward;
/// dx (=|+=) dy / (2 y)
extern Kernel<void(const real* y, const real* dy, Destination dx, int64_t n)> sqrt_backward;
/// dx (=|+=) 2 dy x
extern Kernel<void(const real* x, const real* dy, Destination dx, int64_t n)> square_backward;
/// dx (=|+=) dy where y > 0, else 0
extern Kernel<void(const real* y, const real* dy, Destination dx, int64_t n)> relu_backward;
/// dx (=|+=) dy sign(x), with sign(0) = 0
extern Kernel<void(const real* x, const real* dy, Destination dx, int64_t n)> absolute_backward;

/// How an operand advances: one element at a time, or `zero`: one value, repeated.
enum class Step { zero, one };

/// y (=|+=) a + b
extern Kernel<void(const real* a, Step a_step, const real* b, Step b_step, Destination y, int64_t n)> add;
/// y (=|+=) a - b
extern Kernel<void(const real* a, Step a_step, const real* b, Step b_step, Destination y, int64_t n)> subtract;
/// y (=|+=) a b
extern Kernel<void(const real* a, Step a_step, const real* b, Step b_step, Destination y, int64_t n)> multiply;
/// y (=|+=) a / b
extern Kernel<void(const real* a, Step a_step, const real* b, Step b_step, Destination y, int64_t n)> divide;
/// Gradient of y = a / b by its denominator: db (=|+=) -dy y / b, with y [n], dy [n] and db [n].
extern Kernel<void(const real* y, const real* b, Step b_step, const real* dy, Destination db, int64_t n)>
    divide_backward_denominator;

/// y (=|+=) scale x
extern Kernel<void(real scale, const real* x, Destination y, int64_t n)> axpy;
/// y = x + s
extern Kernel<void(const real* x, real s, real* y, int64_t n)> shift;
/// y = value
extern Kernel<void(real value, real* y, int64_t n)> fill;

}  // namespace attend::ATTEND_PRECISION::kernels
