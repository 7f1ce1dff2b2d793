#pragma once
/// The ops of core/ops/alignment.h and monotonic.h by other means: slow and obvious.
#include <vector>

#include "core/ops/alignment.h"

namespace attend::ATTEND_PRECISION::oracles {

/// The entmax of z by bisection: tau with sum max((alpha - 1) z - tau, 0)^(1 / (alpha - 1)) = 1
/// (Peters, Niculae and Martins 2019, algorithm 1), in double.
std::vector<double> entmax_by_bisection(const std::vector<double>& z, double alpha);

/// The same for rows, with the gradient of the implicit function: one step of Newton's iteration,
/// written in ops, from the root.
Tensor entmax_composite(const Tensor& x, double alpha, const Ranges& ranges, real scale);

/// e^(s x) m / (e^b + sum e^(s x) m), with m the mask
Tensor softmax_with_sink_composite(const Tensor& x, const Tensor& sink, const Ranges& ranges, real scale);
/// The softmax over a mask of the k largest, which a stable sort finds
Tensor top_softmax_composite(const Tensor& x, int64_t k, const Ranges& ranges, real scale);
/// Raffel et al. 2017, eq. 9: y_j = p_j sum_{k<=j} previous_k prod_{l=k}^{j-1} (1 - p_l), element
/// by element
Tensor monotonic_alignment_composite(const Tensor& p, const Tensor& previous, const Ranges& ranges);
/// The double sum as it stands, element by element
Tensor chunkwise_composite(const Tensor& stops, const Tensor& u, int64_t width, const Ranges& ranges);

}  // namespace attend::ATTEND_PRECISION::oracles
