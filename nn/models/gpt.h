#pragma once
/// The decoder-only transformer: GPT-1 (Radford et al. 2018: norms after the sums) and GPT-2
/// (Radford et al. 2019: norms before the parts, residual projections scaled down at the start), by
/// options.
#include <memory>
#include <string>

#include "nn/models/transformer.h"

namespace attend::ATTEND_PRECISION {

struct GptOptions {
    BlockOptions blocks;
    int64_t context = 64;
    Selection positions{positions_table(), "learned"};
    bool tie = true;
    double init = 0.02;
    double embedding_init = 0;
    bool scale_residual = true;
    Pattern attention = transformer_attention("causal");
    void fields(Visitor& v) {
        blocks.fields(v);
        v.integer("context", context, {1, 1 << 20}, "greatest number of positions that are seen at once");
        v.selection("positions", positions, "how positions enter");
        v.flag("tie", tie, "the output layer is the transposed embedding (Press and Wolf 2017)");
        v.number("init", init, {1e-6, 10}, "standard deviation of the first weights");
        v.number("embedding_init", embedding_init, {0, 10, "auto"}, "the same of the embeddings; auto: init");
        v.flag("scale_residual", scale_residual,
               "first weights of what writes to the residual stream are multiplied by 1 / sqrt(2 layers) (Radford 2019, 2.3)");
        v.pattern("attention", attention, "how a position attends to those before it");
    }
};

class Gpt final : public TransformerModel {
  public:
    /// Parameters `embedding`, `position`, `decoder.0 ...` (BlockStack), and `head` unless tied.
    /// Throws Error for a task with a source, and for factors of attention that would let a
    /// position see what it predicts.
    Gpt(const GptOptions& options, const Scope& scope, const ModelSetup& setup);

    /// `source` has no rows. Throws Error when the input is longer than the context.
    Scored score(const ScoreInput& batch, const LossOptions& options, const Pass& pass) const override;
    Estimated estimate(const Estimator& estimator, const ScoreInput& batch, const LossOptions& options,
                       const Context& context) const override;
    /// Begins with what is written already, all rows equally long and perhaps empty. Of a text
    /// longer than the context the model sees the last half of its context and what follows.
    PositionLimits positions() const override { return {0, options_.context, "context"}; }
    std::unique_ptr<DecoderState> start(const Ids& written, const Pass& pass) const override;
    Advanced advance(DecoderState& state, std::span<const int32_t> ids, const Pass& pass) const override;
    /// GPT-2's. Throws Error with the first option that it cannot represent: norms after the sums
    /// or not layer norms, no biases, positions that are not learned, fewer key heads, other
    /// attention.
    PublishedLayout published_layout() const override;

  private:
    void check_batch(const ScoreInput& batch, const LossOptions& options) const;
    // Ids [B, T] to what goes into the blocks, the first at `position`.
    Tensor embed(std::span<const int32_t> ids, int64_t rows, int64_t position, const Pass& pass) const;
    // The blocks' output of whole rows.
    Output decode(const Ids& input, const Pass& pass) const;

    GptOptions options_;
    Embedding embedding_;
    Positions positions_;
    Dropout dropout_;
    BlockStack decoder_;
    OutputHead head_;
};

}  // namespace attend::ATTEND_PRECISION
