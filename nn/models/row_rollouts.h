#pragma once
/// Hard attention in models: rollouts for estimators. In models that read all positions at once, K
/// samples of an example are K rows of the batch.
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "nn/models/model.h"
#include "nn/models/row_order.h"

namespace attend::ATTEND_PRECISION {

/// How a model makes rollouts of a batch.
struct RolloutParts {
    std::function<Rollout(const Choosing& way, int64_t samples)> run;
    int64_t positions = 0;                                         ///< S, where the passes have one length of source
    std::function<ByPosition(const SupportOf&)> by_position = {};  ///< empty: one by one
};

/// The rollouts of a batch, which must outlive them.
class BatchRollouts final : public Rollouts {
  public:
    /// `mask` [B, T] says which columns of the losses count; `sites` are the model's, and outlive it
    /// too.
    BatchRollouts(const ScoreInput& batch, const Tensor& mask, const Sites& sites, RolloutParts parts)
        : batch_(batch), mask_(mask), sites_(sites), parts_(std::move(parts)) {}
    Rollout operator()(const Choosing& way, int64_t samples) const override { return parts_.run(way, samples); }
    ByPosition by_position(const SupportOf& support) const override {
        return parts_.by_position ? parts_.by_position(support) : by_position_one_by_one(support);
    }
    const Sites& sites() const override { return sites_; }
    int64_t rows() const override { return batch_.input.rows; }
    int64_t targets() const override { return batch_.input.columns; }
    int64_t positions() const override { return parts_.positions; }
    const Tensor& mask() const override { return mask_; }
    const Ids& target() const override { return batch_.target; }

  private:
    ScoreInput batch_;
    Tensor mask_;
    const Sites& sites_;
    RolloutParts parts_;
};

/// One pass over B K rows, the samples of an example one after the other.
struct RowPass {
    Tensor loss;               ///< [B K, T] nats, recorded
    Array<int32_t> predicted;  ///< [B K T]
    Sightings seen;
};
/// The pass with K samples; `pass` keeps choices and counts rows as B K.
using RunRows = std::function<RowPass(int64_t samples, const Pass& pass)>;
BatchRollouts row_rollouts(const ScoreInput& batch, const Tensor& mask, const Context& context, const Sites& sites,
                           RunRows run);

/// [B, T] 1 where there is a target, else 0.
Tensor target_mask(const Ids& target, int32_t ignored);

/// What a model with hard attention trains with at this step: its estimator, or soft attention in
/// its first soft_steps.
const Estimator& estimator_at(const Model& model, const Context& context);
/// Model::estimate() with it, as scores.
Scored score_by_estimator(const Model& model, const ScoreInput& batch, const LossOptions& options, const Context& context);

/// Throws Error for an estimator that is not for many choices a step: one that needs steps to be
/// independent, or a single site.
void require_for_many_sites(const std::string& model, const Estimator& estimator);

/// The one estimator of all sites of `model` that choose; null where there is none. Throws Error
/// where sites ask for different ones, for one that needs steps to be independent or a single site,
/// for evaluation that sums over positions, and with recomputation, which would choose a second
/// time.
std::unique_ptr<Estimator> estimator_of_sites(const std::string& model, const std::vector<const HardChoice*>& sites,
                                              const Scope& scope, const EstimatorSetup& setup, bool recompute);

}  // namespace attend::ATTEND_PRECISION
