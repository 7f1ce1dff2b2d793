#pragma once
/// Sums of pairs of rows: what two tables say together, without a product for every pair.
#include <span>

#include "core/engine.h"

namespace attend::ATTEND_PRECISION {

/// y[i] = tanh(a[of_a[i]] + b[of_b[i]]): a [N, D], b [M, D], rows in any order and as often as they
/// are listed, output [R, D]. Equal to embedding, add and tanh. Throws Error for tables of different
/// widths, lists of different lengths, and a row that a table does not have.
Tensor tanh_of_pairs(const Tensor& a, std::span<const int32_t> of_a, const Tensor& b, std::span<const int32_t> of_b);

}  // namespace attend::ATTEND_PRECISION
