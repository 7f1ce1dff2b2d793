#pragma once
/// What goes into a training step besides model and batch, and what comes out of it (train/learn/step.h).
#include <optional>
#include <string>

#include "core/base/trace.h"
#include "train/experiment/loss.h"

namespace attend::ATTEND_PRECISION {

/// How steps are taken.
struct StepSettings {
    int64_t shards = 1;
    double clip_norm = 0;   ///< largest norm of the gradient, 0: no limit
    double clip_value = 0;  ///< largest size of an element, applied before the norm; 0: no limit
    uint64_t seed = 0;
};

/// What one step saw, before its update.
struct StepReport {
    LossSums sums;             ///< nats
    LossCounts counts;         ///< of targets and labels
    double objective = 0;      ///< what the gradient is of: the shards' losses added up
    double gradient_norm = 0;  ///< before clipping
    double learning_rate = 0;
    /// What metrics.jsonl calls loss: mean per target, and per label.
    double loss() const { return sums.mean(counts); }
};

/// A step whose loss or gradient is not finite; it has updated nothing.
class StepDiverged final : public Diverged {
  public:
    StepDiverged(const std::string& message, std::optional<NotFinite> found, const StepReport& report)
        : Diverged(message, std::move(found)), report_(report) {}
    const StepReport& report() const { return report_; }

  private:
    StepReport report_;
};

}  // namespace attend::ATTEND_PRECISION
