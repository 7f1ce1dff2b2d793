#pragma once
/// One training step: shards forward and backward, gradients summed in shard order, clipped, and one update.
#include <span>
#include <vector>

#include "core/engine.h"
#include "core/parallel.h"
#include "optim/optimizer.h"
#include "train/run/objective.h"

namespace attend::inline ATTEND_PRECISION {

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

/// What a step works with. All outlive it.
struct StepParts {
    const Model& model;
    ParameterStore& store;
    const Objective& objective;
    Optimizer& optimizer;
    const Schedule& schedule;
    Workers& workers;
};

/// How steps are taken.
struct StepSettings {
    int64_t shards = 1;
    double clip_norm = 0;   ///< largest norm of the gradient, 0: no limit
    double clip_value = 0;  ///< largest size of an element, applied before the norm; 0: no limit
    uint64_t seed = 0;
};

/// Rows [begin, end) of shard `shard` of `shards` in a batch of `rows`: as even as can be, a function of these alone.
struct ShardRows {
    int64_t begin = 0, end = 0;
};
ShardRows shard_rows(int64_t rows, int64_t shard, int64_t shards);

/// Keeps what is reused from step to step: a gradient arena and state updates for each shard. After one step of the largest
/// shape a step makes no system allocation.
class TrainingStep {
  public:
    /// Throws Error unless 1 <= shards.
    TrainingStep(StepParts parts, const StepSettings& settings);

    /// Step number `step` (from 0) on `batches`, whose gradients are added up as if they were one batch: each target weighs the
    /// same, and each label, and rows are numbered through. Shard s takes its part of every batch and runs on worker s mod
    /// threads; the bits of all results depend on the number of shards and not on the threads. Throws StepDiverged, with the
    /// parameters untouched, when the loss, the objective or the norm of the gradient is not finite: the step is replayed in
    /// checked mode to name op, module and step. Throws Error for a batch without targets and labels.
    StepReport run(int64_t step, std::span<const Batch> batches);
    StepReport run(int64_t step, const Batch& batch) { return run(step, {&batch, 1}); }

    /// The gradient of the last step, summed over shards, before clipping: store.size() elements.
    const real* gradient() const { return gradients_.front().data(); }

  private:
    void run_shard(int64_t step, std::span<const Batch> batches, const LossCounts& whole, int64_t shard);
    void sum_gradients();
    double clip();
    [[noreturn]] void explain(int64_t step, std::span<const Batch> batches, const StepReport& report);

    StepParts parts_;
    StepSettings settings_;
    std::vector<Gradients> gradients_;
    std::vector<StateUpdates> updates_;
    std::vector<LossSums> sums_;
    std::vector<double> objectives_;
    std::vector<char> used_;  // whether the shard has rows
};

}  // namespace attend::inline ATTEND_PRECISION
