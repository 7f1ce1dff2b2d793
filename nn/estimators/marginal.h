#pragma once
/// The marginal likelihood of each step over positions that are read one by one.
#include "nn/estimators/estimator.h"

namespace attend::ATTEND_PRECISION {

/// K = S samples, of which the k-th reads position k everywhere.
Played play_all_positions(const Play& play, const Proposal* proposal = nullptr);

/// -1/N sum_t log sum_k f_k p(a_k) p(y_t | a_k) over the samples k of `played`, f [B, K, T] not
/// recorded. Samples without weight, or whose f is 0, do not count.
Estimated marginal(const Play& play, const Played& played, const Tensor& factor, double normaliser);

}  // namespace attend::ATTEND_PRECISION
