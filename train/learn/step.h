#pragma once
/// One training step: shards forward and backward, gradients summed in shard order, clipped, and
/// one update.
#include <span>
#include <vector>

#include "core/base/parallel.h"
#include "core/engine.h"
#include "nn/estimators/observed.h"
#include "optim/optimizer.h"
#include "train/experiment/objective.h"
#include "train/experiment/step_values.h"

namespace attend::ATTEND_PRECISION {

/// What a step works with. All outlive it.
struct StepParts {
    const Model& model;
    ParameterStore& store;
    const Objective& objective;
    Optimizer& optimizer;
    const Schedule& schedule;
    Workers& workers;
};

/// Rows [begin, end) of shard `shard` of `shards` in a batch of `rows`: as even as can be, a
/// function of these alone.
struct ShardRows {
    int64_t begin = 0, end = 0;
};
ShardRows shard_rows(int64_t rows, int64_t shard, int64_t shards);

/// Whether a step observes the model's hard choices, which costs a second pass forward and backward.
/// It changes no bit of the update.
enum class Observe { no, yes };

/// Keeps what is reused from step to step: a gradient arena and state updates for each shard. After
/// one step of the largest shape a step makes no system allocation.
class TrainingStep {
  public:
    /// Throws Error unless 1 <= shards.
    TrainingStep(StepParts parts, const StepSettings& settings);

    /// Step number `step` (from 0) on `batches`, whose gradients are added up as if they were one
    /// batch: each target weighs the same, and each label, and rows are numbered through. Shard s
    /// takes its part of every batch and runs on worker s mod threads; the bits of all results
    /// depend on the number of shards and not on the threads. Throws StepDiverged, with the
    /// parameters untouched, when the loss, the objective or the norm of the gradient is not
    /// finite: the step is replayed in checked mode to name op, module and step. Throws Error for a
    /// batch without targets and labels.
    StepReport run(int64_t step, std::span<const Batch> batches, Observe observe = Observe::no);
    StepReport run(int64_t step, const Batch& batch, Observe observe = Observe::no) { return run(step, {&batch, 1}, observe); }

    /// The gradient of the last step, summed over shards, before clipping: store.size() elements.
    const real* gradient() const { return gradients_.front().data(); }

  private:
    struct Shard {
        LossSums sums;
        AdvantageSums advantages;
        ObservedSums observed;
        double objective = 0;
        bool has_rows = false;
    };
    // body(rows of a batch, their context), of a shard's part of every batch.
    template <class F>
    void each_part(int64_t step, std::span<const Batch> batches, int64_t shard, F body);
    void run_shard(int64_t step, std::span<const Batch> batches, const LossCounts& whole, int64_t shard);
    void observe_shard(int64_t step, std::span<const Batch> batches, const LossCounts& whole, int64_t shard);
    ObservedSums observe(int64_t step, std::span<const Batch> batches, const LossCounts& whole);
    std::optional<double> share_of_choices();
    void sum_gradients();
    [[noreturn]] void explain(int64_t step, std::span<const Batch> batches, const StepReport& report);

    StepParts parts_;
    StepSettings settings_;
    std::vector<Gradients> gradients_;
    std::vector<StateUpdates> updates_;
    std::vector<Shard> shards_;
    Array<real> direct_;  // the direct part of the gradient, of a step that observes; empty: there is none
};

}  // namespace attend::ATTEND_PRECISION
