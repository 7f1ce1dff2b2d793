#pragma once
/// The bidirectional encoder of Devlin et al. 2018 ("BERT: Pre-training of Deep Bidirectional
/// Transformers"), with the heads that its task asks for.
#include <memory>
#include <string>

#include "nn/models/transformer.h"

namespace attend::ATTEND_PRECISION {

struct BertOptions {
    BlockOptions blocks = {.norm_place = "post", .norm_epsilon = 1e-12};  ///< as published: norms after the sums
    int64_t context = 128;
    int64_t segments = 2;
    Selection positions{positions_table(), "learned"};
    double init = 0.02;
    Pattern attention = transformer_attention("global");
    void fields(Visitor& v) {
        blocks.fields(v);
        v.integer("context", context, {1, 1 << 20}, "longest row, special tokens included");
        v.integer("segments", segments, {0, 1024}, "texts in a row that have a vector of their own; 0: none");
        v.selection("positions", positions, "how positions enter");
        v.number("init", init, {1e-6, 10}, "standard deviation of the first weights");
        v.pattern("attention", attention, "how positions attend to each other");
    }
};

/// x = dropout(norm(word + position + segment)), then the blocks. Heads, by what the task gives:
///   masked targets: norm(gelu(x W + b)) E^T + c at the positions of targets alone, E the word
///   embedding
///   labels beside targets (next sentence): p W + b, with p = tanh(x_0 W + b) of the first
///   position, [CLS] (the pooler)
///   labels alone (classification): dropout(p) W + b
class Bert final : public TransformerModel {
  public:
    /// Parameters `embedding.word`, `.position`, `.segment`, `.norm`; `encoder.0 ...` (BlockStack);
    /// as the heads need them `masked` (`dense`, `norm`, `bias`), `pooler`, `relation` (labels
    /// beside targets), `classifier` (labels alone). Throws Error for a task with a source, with
    /// targets that follow their input (the model would see them), or with neither targets nor
    /// labels.
    Bert(const BertOptions& options, const Scope& scope, const ModelSetup& setup);

    /// Throws Error when the input is longer than the context, segments are none that the model
    /// knows, or there are targets or labels without a head.
    Scored score(const ScoreInput& batch, const LossOptions& options, const Pass& pass) const override;
    Estimated estimate(const Estimator& estimator, const ScoreInput& batch, const LossOptions& options,
                       const Context& context) const override;
    PositionLimits positions() const override { return {0, options_.context, "context"}; }
    bool decodes() const override { return false; }
    /// Both throw Error: an encoder generates no text.
    std::unique_ptr<DecoderState> start(const Ids& source, const Pass& pass) const override;
    Advanced advance(DecoderState& state, std::span<const int32_t> ids, const Pass& pass) const override;
    /// BERT's, with the heads that there are. Throws Error with the first option that it cannot
    /// represent.
    PublishedLayout published_layout() const override;

  private:
    struct Losses {
        Tensor targets, labels;
        Array<int32_t> predicted, predicted_labels;
        Sightings seen;
    };
    void check_batch(const ScoreInput& batch, const LossOptions& options) const;
    Losses losses(const ScoreInput& batch, const LossOptions& options, const Pass& pass) const;
    Scored estimated(const Estimator& estimator, const ScoreInput& batch, const LossOptions& options,
                     const Context& context) const;
    Tensor embed(const ScoreInput& batch, const Pass& pass) const;
    Output encode(const ScoreInput& batch, const Pass& pass) const;
    // What the masked head reads at those places of features [B, T, D]: [N, D].
    Tensor at_places(const Tensor& features, const Array<int32_t>& places) const;
    // What the head of labels reads: [B, D].
    Tensor pooled(const Tensor& features, const Context& context) const;
    // Loss of the targets of features [B, T, D]; fills in the scores at their positions.
    Tensor score_targets(const Tensor& features, const ScoreInput& batch, const LossOptions& options, Scored& scores) const;
    Tensor score_labels(const Tensor& features, const ScoreInput& batch, const LossOptions& options, const Context& context,
                        Scored& scores) const;
    bool predicts_targets() const { return targets_ == TargetKind::masked; }

    BertOptions options_;
    TargetKind targets_;
    int64_t classes_;
    Embedding word_, segment_;
    Positions positions_;
    Norm norm_;
    Dropout dropout_;
    BlockStack encoder_;
    Linear dense_;
    Norm dense_norm_;
    Linear pooler_;
    OutputHead masked_head_, label_head_;
    Dropout label_dropout_;
    std::string masked_path_;
};

}  // namespace attend::ATTEND_PRECISION
