#pragma once
/// Elementwise ops. The binary ones broadcast: axes aligned at the end, sizes equal or 1; they throw Error naming both shapes
/// when these do not broadcast.
#include "core/engine.h"

namespace attend::inline ATTEND_PRECISION {

/// a + b
Tensor add(const Tensor& a, const Tensor& b);
/// a - b
Tensor subtract(const Tensor& a, const Tensor& b);
/// a b
Tensor multiply(const Tensor& a, const Tensor& b);
/// a / b
Tensor divide(const Tensor& a, const Tensor& b);

/// s x
Tensor scale(const Tensor& x, real s);
/// x + s
Tensor shift(const Tensor& x, real s);
/// -x
Tensor negate(const Tensor& x);
/// e^x
Tensor exp(const Tensor& x);
/// ln x
Tensor log(const Tensor& x);
/// x^(1/2)
Tensor sqrt(const Tensor& x);
/// x^2
Tensor square(const Tensor& x);
/// |x|; gradient 0 at 0.
Tensor absolute(const Tensor& x);
/// (e^x - e^-x) / (e^x + e^-x)
Tensor tanh(const Tensor& x);
/// 1 / (1 + e^-x)
Tensor sigmoid(const Tensor& x);
/// max(x, 0); gradient 0 at 0.
Tensor relu(const Tensor& x);

inline Tensor operator+(const Tensor& a, const Tensor& b) { return add(a, b); }
inline Tensor operator-(const Tensor& a, const Tensor& b) { return subtract(a, b); }
inline Tensor operator*(const Tensor& a, const Tensor& b) { return multiply(a, b); }
inline Tensor operator/(const Tensor& a, const Tensor& b) { return divide(a, b); }
inline Tensor operator-(const Tensor& x) { return negate(x); }
inline Tensor operator*(real s, const Tensor& x) { return scale(x, s); }

}  // namespace attend::inline ATTEND_PRECISION
