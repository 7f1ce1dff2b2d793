#pragma once
/// What training minimises. Objectives are rows of objective_table().
#include <memory>

#include "core/base/options.h"
#include "core/context.h"
#include "train/experiment/loss.h"

namespace attend::ATTEND_PRECISION {

/// The result of an objective for one shard.
struct ShardLoss {
    Tensor loss;    ///< scalar, recorded: this shard's part of the loss that is differentiated
    LossSums sums;  ///< nats of the shard's targets and labels: what metrics.jsonl reports, divided by their counts
    AdvantageSums advantages = {};  ///< of hard choices
};

class Objective {
  public:
    virtual ~Objective() = default;
    /// `shard` is a slice of a batch with `whole` targets and labels in all; the shards' losses add
    /// up to the batch's. Called by several threads at once, each with its own context.
    virtual ShardLoss evaluate(const Model& model, const Batch& shard, const LossCounts& whole,
                               const Context& context) const = 0;
    /// How it scores the targets of such a shard.
    virtual LossOptions loss_options(const LossCounts& whole, const Context& context) const = 0;
    /// Throws Error when this model cannot be trained with the objective.
    virtual void check(const Model&) const {}
};

const Table<std::unique_ptr<Objective>()>& objective_table();

}  // namespace attend::ATTEND_PRECISION
