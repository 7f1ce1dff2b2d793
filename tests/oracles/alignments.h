#pragma once
/// The ops of core/ops/alignment.h by other means: slow and obvious.
#include <vector>

#include "core/ops/alignment.h"

namespace attend::ATTEND_PRECISION::oracles {

/// The entmax of z by bisection: tau with sum max((alpha - 1) z - tau, 0)^(1 / (alpha - 1)) = 1 (Peters,
/// Niculae and Martins 2019, algorithm 1), in double.
std::vector<double> entmax_by_bisection(const std::vector<double>& z, double alpha);

/// The same for rows, with the gradient of the implicit function: one step of Newton's iteration,
/// written in ops, from the root.
Tensor entmax_composite(const Tensor& x, double alpha, const Ranges& ranges, real scale);

}  // namespace attend::ATTEND_PRECISION::oracles
