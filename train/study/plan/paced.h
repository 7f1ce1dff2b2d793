#pragma once
/// A model that ends its outputs where the references end. An untrained model decodes to the limit;
/// with this one decoding takes the time that it takes with a trained model.
#include <map>

#include "data/task.h"
#include "nn/models/model.h"

namespace attend::plan {

class PacedModel final : public Model {
  public:
    /// `inner` outlives this.
    explicit PacedModel(const Model& inner) : inner_(inner) {}

    /// The rows of `batch` are decoded to the length of their targets. Others end as the inner
    /// model says.
    void learn(const Batch& batch);

    Scored score(const ScoreInput& batch, const LossOptions& options, const Pass& pass) const override;
    std::unique_ptr<DecoderState> start(const Ids& source, const Pass& pass) const override;
    Advanced advance(DecoderState& state, std::span<const int32_t> ids, const Pass& pass) const override;
    const Sites& sites() const override { return inner_.sites(); }

  private:
    const Model& inner_;
    std::map<std::vector<int32_t>, int64_t> lengths_;  // symbols of the target, eos included, by the source's ids
};

}  // namespace attend::plan
