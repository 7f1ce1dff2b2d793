#pragma once
/// Walking broadcast shapes: axes aligned at the end, an axis of size 1 repeated.
#include "core/base/function_ref.h"
#include "core/destination.h"
#include "core/tensor.h"

namespace attend::ATTEND_PRECISION {

/// Calls run(a offset, b offset, y offset, n, a_moves, b_moves) for runs of n consecutive elements
/// of y = a (op) b; an operand that does not move repeats one value. Runs are as long as the shapes
/// allow.
void broadcast_runs(const Shape& a, const Shape& b, const Shape& y,
                    FunctionRef<void(int64_t, int64_t, int64_t, int64_t, bool, bool)> run);

/// Sums `x` over the axes along which `shape` was broadcast to x's shape.
void sum_to_shape(const Tensor& x, const Shape& shape, Destination to);

}  // namespace attend::ATTEND_PRECISION
