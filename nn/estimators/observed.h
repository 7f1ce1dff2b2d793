#pragma once
/// What is reported of hard choices in training, besides the loss and its gradient.
#include "nn/estimators/estimator.h"

namespace attend::ATTEND_PRECISION {

/// Sums over the choices of a pass; those of shards are added up.
struct ObservedSums {
    double entropy = 0;  ///< nats, of the distributions that were chosen from, one sample an example
    int64_t choices = 0;
    double expected = 0, marginal = 0;  ///< nats, the two objectives over the same targets
    int64_t targets = 0;                ///< of these; 0 where the two cannot be computed
    ObservedSums& operator+=(const ObservedSums& other);
};

/// Observes the rollouts of another estimator. The loss that it returns is not that one's but
/// Estimator::direct(), recorded, or undefined where there is none; draws are those of the
/// estimator itself. Entropies are those of the first sample of each example; the two objectives
/// are computed where the model has one site and choices affect no other step, all positions read.
/// Changes no state.
class Observed final : public Estimator {
  public:
    /// Both outlive it.
    Observed(const Estimator& of, ObservedSums& sums) : of_(of), sums_(sums) {}
    Aim aim() const override { return of_.aim(); }
    bool unbiased() const override { return false; }
    bool needs_independence() const override { return of_.needs_independence(); }
    bool needs_one_site() const override { return of_.needs_one_site(); }
    bool draws() const override { return of_.draws(); }
    Estimated operator()(const Rollouts& rollouts, double normaliser, const Context& context) const override;

  private:
    const Estimator& of_;
    ObservedSums& sums_;
};

}  // namespace attend::ATTEND_PRECISION
