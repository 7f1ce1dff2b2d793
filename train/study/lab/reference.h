#pragma once
/// The gradients that estimates are compared with.
#include <memory>

#include "nn/estimators/estimator.h"

namespace attend::ATTEND_PRECISION {

/// The exact objective of that aim where choices of one step reach no other: all positions of every
/// step are read,
///     expected  sum_t sum_s p_s l_ts      marginal  -sum_t log sum_s p_s e^(-l_ts)
///     bound     sum_t sum_s q_s (l_ts + ln q_s - ln p_s), q of `with`'s inference network.
/// `with` must outlive it.
std::unique_ptr<Estimator> exact_objective(Aim aim, const Estimator& with);

}  // namespace attend::ATTEND_PRECISION
