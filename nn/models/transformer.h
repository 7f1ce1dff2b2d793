#pragma once
/// What the transformers share besides their blocks and positions: output heads, the checks of a
/// batch, and the estimator of their hard attention.
#include <memory>
#include <string>
#include <vector>

#include "nn/blocks.h"
#include "nn/models/model.h"
#include "nn/models/positions.h"
#include "nn/models/row_rollouts.h"

namespace attend::ATTEND_PRECISION {

/// Scores of V classes: a layer of its own, or an embedding [V, D], transposed (tied: Press and
/// Wolf 2017).
class OutputHead {
  public:
    OutputHead() = default;
    explicit OutputHead(const Linear& layer);
    /// Adds the parameter `bias` [V] where there is to be one.
    OutputHead(const Scope& scope, const Embedding& tied, Bias with_bias);

    /// h [N, D] to [N, V].
    Tensor logits(const Tensor& h) const;
    /// Loss of h [N, D] with N targets, in sum or one by one; throws as head_cross_entropy.
    CrossEntropyResult cross_entropy(const Tensor& h, std::span<const int32_t> targets, const CrossEntropyOptions& o) const;
    RowLosses row_losses(const Tensor& h, std::span<const int32_t> targets, const CrossEntropyOptions& o) const;
    /// The same of features [B, T, D] and targets [B, T].
    Scored score(Output features, const Ids& target, const LossOptions& o) const;
    RowPass pass(Output features, const Ids& target, const LossOptions& o) const;

  private:
    Scored score_places(Output features, const Ids& target, const TargetPlaces& at, const LossOptions& o) const;

    Tensor weight_, bias_;
    Transpose transposed_ = Transpose::no;
    std::string path_;
};

/// A model of transformer blocks, whose heads can have hard attention.
class TransformerModel : public Model {
  public:
    const Estimator* estimator() const override { return estimator_.get(); }
    const HardChoice* hard() const override { return hard_.empty() ? nullptr : hard_.front(); }
    const Sites& sites() const override { return sites_; }
    EstimatorSetup estimator_setup() const override { return {head_size_, head_size_, vocabulary_}; }

  protected:
    TransformerModel(const char* name, const BlockOptions& blocks, int64_t vocabulary);
    /// Lists the sites of its stacks, which are given in the order of their numbers, and builds the
    /// estimator of those that choose; throws as estimator_of_sites().
    void add_sites(const Scope& scope, std::initializer_list<const BlockStack*> stacks);
    /// Throws Error unless attention chooses positions and the estimator fits.
    void require_estimator(const Estimator& estimator) const;
    /// Throws Error for a batch whose parts do not fit together, or with scheduled sampling;
    /// `sources`: rows that it has.
    void require_batch(const ScoreInput& batch, const LossOptions& o, int64_t sources) const;

    const char* name_;
    int64_t vocabulary_;

  private:
    int64_t head_size_;
    bool recompute_;
    Sites sites_;
    std::vector<const HardChoice*> hard_;
    std::unique_ptr<Estimator> estimator_;
};

}  // namespace attend::ATTEND_PRECISION
