#pragma once
/// The marginal likelihood of each step over positions that are read one by one.
#include "nn/estimators/estimator.h"

namespace attend::ATTEND_PRECISION {

/// The prediction [B * T] at each target's position of the largest weight [B, N, T].
Array<int32_t> likeliest_prediction(const ByPosition& by, const Tensor& weight);

/// -1/N sum_t log sum_n f_n w_n p(y_t | position n) over the positions of `by`, f [B, N, T] not
/// recorded, w their weights; mask [B, T]. Positions without weight, or whose f is 0, do not count.
Estimated marginal(const ByPosition& by, const Tensor& factor, const Tensor& mask, double normaliser);

}  // namespace attend::ATTEND_PRECISION
