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

/// What one step computed, before its update.
struct StepReport {
    LossSums sums;             ///< nats
    LossCounts counts;         ///< of targets and labels
    double objective = 0;      ///< sum of the shards' losses, of which the gradient is taken
    double gradient_norm = 0;  ///< before clipping
    double learning_rate = 0;
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
