#pragma once
/// Matrix products. All go through core/gemm.h.
#include "core/engine.h"
#include "core/gemm.h"

namespace attend::ATTEND_PRECISION {

/// op(a) op(b) over the last two axes: [M, K] [K, N], or with equal leading axes [..., M, K] [...,
/// K, N]; op transposes the last two axes. Throws Error naming both shapes when the inner sizes or
/// the leading axes differ.
Tensor matmul(const Tensor& a, const Tensor& b, Transpose a_transposed = Transpose::no, Transpose b_transposed = Transpose::no);

/// y = x W + bias (+ plus): x [..., in], weight [in, out], bias [out] or undefined, plus [..., out]
/// or undefined. The weight's gradient is one product over all its uses in the graph. Throws Error
/// naming shapes, and the weight if it is a parameter.
Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias = {}, const Tensor& plus = {});

}  // namespace attend::ATTEND_PRECISION
