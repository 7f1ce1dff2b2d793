#pragma once
/// Ops that move elements: concat, slice, stack, transpose, and rows picked by ids. (reshape and
/// leading-axis slices are views: Tensor::reshape, rows, row.)
#include <span>

#include "core/base/ids.h"
#include "core/engine.h"

namespace attend::ATTEND_PRECISION {

/// Joins along an axis (negative counts from the end). Throws Error when there is nothing to join
/// or other axes differ.
Tensor concat(std::span<const Tensor> parts, int axis);
inline Tensor concat(std::initializer_list<Tensor> parts, int axis) {
    return concat(std::span<const Tensor>(parts.begin(), parts.size()), axis);
}
/// Joins along a new axis: T tensors [B, D] to [T, B, D] (axis 0) or [B, T, D] (axis 1).
Tensor stack(std::span<const Tensor> parts, int axis);
/// Positions [begin, end) of an axis. The leading axis gives a view. Throws Error when out of
/// range.
Tensor slice(const Tensor& x, int axis, int64_t begin, int64_t end);
/// Position t of axis 1, that axis removed: [B, T, ...] to [B, ...]. Throws Error when out of
/// range.
Tensor step(const Tensor& x, int64_t t);
/// Swaps two axes.
Tensor transpose(const Tensor& x, int axis_a, int axis_b);
/// Rows of a table: table [V, D], ids in any order, output [shape..., D] where shape multiplies out
/// to ids.size(). The gradient adds up rows that are picked more than once. Throws Error for an id
/// outside 0 ... V - 1, naming its place.
Tensor embedding(const Tensor& table, std::span<const int32_t> ids, const Shape& shape);
/// Elements of x, of any shape, by their numbers in it; a number of -1 gives 0. Output of the given
/// shape, which multiplies out to numbers.size(). Throws Error for a number outside -1 ... size - 1,
/// naming its place.
Tensor elements(const Tensor& x, std::span<const int32_t> numbers, const Shape& shape);
/// The neighbours of each position: x [B, S], output [B, S, width] with y[b, s, i] = x[b, s + i -
/// width / 2] and 0 outside of 0 ... S - 1. An odd width has as many neighbours on both sides; an
/// even one has one more on the left (width / 2 is rounded down). A convolution over positions is
/// this times a weight [width, filters] (Chorowski et al. 2015, eq. 8). Throws Error unless x has
/// two axes and width >= 1.
Tensor neighbours(const Tensor& x, int64_t width);
/// Sums over the positions up to each one: x [B, S, C], output [B, S, C] with y[b, s, c] = sum_{r
/// <= s} x[b, r, c]. Throws Error unless x has three axes.
Tensor cumulative_sum(const Tensor& x);
/// One element of each row: x [N, V], ids of N, output [N]. Throws Error for an id outside 0 ... V
/// - 1.
Tensor pick(const Tensor& x, std::span<const int32_t> ids);

}  // namespace attend::ATTEND_PRECISION
