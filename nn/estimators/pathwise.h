#pragma once
/// Estimators whose gradient goes through what is read: biased, and of low variance.
#include "nn/estimators/estimator.h"

namespace attend::ATTEND_PRECISION {

/// 1/(N K) sum_k of the losses of a rollout with K samples, differentiated as it stands.
Estimated pathwise(const Rollouts& rollouts, const Choosing& way, int64_t samples, double normaliser);

/// Reads with the weights, as soft attention does: for the first steps of a hard attention
/// (soft_steps).
const Estimator& soft_start();

}  // namespace attend::ATTEND_PRECISION
