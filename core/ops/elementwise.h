#pragma once
/// Elementwise ops. The binary ones broadcast: axes aligned at the end, sizes equal or 1; they
/// throw Error naming both shapes when these do not broadcast.
#include "core/engine.h"

namespace attend::ATTEND_PRECISION {

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
/// x P(x), P the standard normal's distribution function (Hendrycks and Gimpel 2016).
Tensor gelu(const Tensor& x);
/// x / 2 (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) (Hendrycks and Gimpel 2016, section 2;
/// GPT-2's).
Tensor gelu_tanh(const Tensor& x);
/// x sigmoid(x) (Elfwing, Uchibe and Doya 2018; also called swish).
Tensor silu(const Tensor& x);
/// silu(u) v with u and v the halves of the last axis (Shazeer 2020, eq. 6, after the product with
/// both weights): x [..., 2F], output [..., F]. Throws Error when the last axis is missing or odd.
Tensor swiglu(const Tensor& x);

inline Tensor operator+(const Tensor& a, const Tensor& b) { return add(a, b); }
inline Tensor operator-(const Tensor& a, const Tensor& b) { return subtract(a, b); }
inline Tensor operator*(const Tensor& a, const Tensor& b) { return multiply(a, b); }
inline Tensor operator/(const Tensor& a, const Tensor& b) { return divide(a, b); }
inline Tensor operator-(const Tensor& x) { return negate(x); }
inline Tensor operator*(real s, const Tensor& x) { return scale(x, s); }

}  // namespace attend::ATTEND_PRECISION
