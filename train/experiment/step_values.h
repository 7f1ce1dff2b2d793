#pragma once
/// Settings and results of a training step (train/learn/step.h).
#include <optional>
#include <string>

#include "core/base/trace.h"
#include "train/experiment/loss.h"

namespace attend::ATTEND_PRECISION {

/// Settings of the steps.
struct StepSettings {
    int64_t shards = 1;
    double clip_norm = 0;   ///< largest norm of the gradient; 0: no limit
    double clip_value = 0;  ///< largest absolute value of an element, applied before clip_norm; 0: no limit
    uint64_t seed = 0;
};

/// What a step observes of hard choices (all of its batch, before the update).
struct ObservedChoices {
    double entropy = 0;  ///< nats, the mean over choices of that of the distribution chosen from (one sample an example)
    std::optional<double> expected = {}, marginal = {};  ///< nats a target; where both can be computed
    std::optional<double> advantage_variance = {};       ///< nats^2; of estimators that have advantages
    /// |g_c| / (|g_c| + |g_d|) over the model's parameters without the estimator's own, with g the
    /// gradient of the step before clipping, g_d that of Estimator::direct(), and g_c = g - g_d: the
    /// share of the gradient that choices carry. Where the estimator has a direct part, and g is not
    /// 0.
    std::optional<double> gradient_share = {};
};

/// What one step computed, before its update.
struct StepReport {
    LossSums sums;             ///< nats
    LossCounts counts;         ///< of targets and labels
    double objective = 0;      ///< sum of the shards' losses, of which the gradient is taken
    double gradient_norm = 0;  ///< before clipping
    double learning_rate = 0;
    AdvantageSums advantages;                     ///< of hard choices
    std::optional<ObservedChoices> choices = {};  ///< where they are asked for and made
    /// The `loss` of metrics.jsonl: mean per target plus mean per label.
    double loss() const { return sums.mean(counts); }
};

/// A step whose loss or gradient is not finite. No parameter was updated.
class StepDiverged final : public Diverged {
  public:
    StepDiverged(const std::string& message, std::optional<NotFinite> found, const StepReport& report)
        : Diverged(message, std::move(found)), report_(report) {}
    const StepReport& report() const { return report_; }

  private:
    StepReport report_;
};

}  // namespace attend::ATTEND_PRECISION
