#pragma once
#include "core/engine.h"

namespace attend::ATTEND_PRECISION {

/// Sum of all elements: a scalar.
Tensor sum(const Tensor& x);
/// Sum over one axis (negative counts from the end), that axis removed. Throws Error when there is
/// no such axis.
Tensor sum(const Tensor& x, int axis);
/// Mean of all elements: a scalar. Throws Error for an empty tensor.
Tensor mean(const Tensor& x);
/// Mean over one axis, that axis removed. Throws Error for an axis of size 0.
Tensor mean(const Tensor& x, int axis);
/// Largest element along one axis, that axis removed; the gradient goes to the first largest.
/// Throws Error for an axis of size 0.
Tensor max(const Tensor& x, int axis);

}  // namespace attend::ATTEND_PRECISION
