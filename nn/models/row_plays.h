#pragma once
/// Hard attention in models: passes for estimators. In models that read all positions at once, K
/// samples of an example are K rows of the batch.
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "nn/models/model.h"
#include "nn/models/row_order.h"

namespace attend::ATTEND_PRECISION {

enum class Steps { dependent, independent };

/// The passes of a model on a batch, which must outlive it.
class BatchPlay final : public Play {
  public:
    using Run = std::function<Played(const Rule&)>;
    /// `counted` [B, T] says which columns of the losses count; `positions`: S, where the passes
    /// have one length of source.
    BatchPlay(const ScoreInput& batch, const Tensor& counted, Run run, int64_t positions = 0, Steps steps = Steps::dependent)
        : batch_(batch), counted_(counted), run_(std::move(run)), positions_(positions), steps_(steps) {}
    Played operator()(const Rule& rule) const override { return run_(rule); }
    int64_t rows() const override { return batch_.input.rows; }
    int64_t targets() const override { return batch_.input.columns; }
    int64_t positions() const override { return positions_; }
    const Tensor& counted() const override { return counted_; }
    const Ids& target() const override { return batch_.target; }
    bool independent() const override { return steps_ == Steps::independent; }

  private:
    ScoreInput batch_;
    Tensor counted_;
    Run run_;
    int64_t positions_;
    Steps steps_;
};

/// One pass over B K rows, the samples of an example one after the other.
struct RowPass {
    Tensor loss;                 ///< [B K, T] nats, recorded
    Array<int32_t> predicted;    ///< [B K T]
    std::size_t in_encoder = 0;  ///< how many of the decisions taken were an encoder's, before all targets
};
/// The pass with K samples; `context` collects its decisions and counts rows as B K.
using RunRows = std::function<RowPass(int64_t samples, const Context& context)>;
BatchPlay row_plays(const ScoreInput& batch, const Tensor& counted, const Context& context, RunRows run);

/// [B, T] 1 where there is a target, else 0.
Tensor counted_targets(const Ids& target, int32_t ignored);

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
