#pragma once
/// The encoder-decoder of Vaswani et al. 2017 ("Attention is all you need").
#include <memory>
#include <string>

#include "nn/models/transformer.h"

namespace attend::ATTEND_PRECISION {

struct TransformerSeq2SeqOptions {
    BlockOptions blocks = {.activation = "relu", .norm_place = "post"};  ///< of the paper: ReLU, norms after the sums
    int64_t decoder_layers = 0;
    Selection positions{positions_table(), "sinusoidal"};
    int64_t max_length = 1024;
    std::string share = "target";
    bool scale_embedding = true;
    Pattern encoder_attention = transformer_attention("global");
    Pattern attention = transformer_attention("causal");
    Pattern cross_attention = transformer_attention("global");
    void fields(Visitor& v) {
        blocks.fields(v);
        v.integer("decoder_layers", decoder_layers, {0, 1024, "auto"}, "blocks of the decoder; auto: layers, as the encoder");
        v.selection("positions", positions, "how positions enter");
        v.integer("max_length", max_length, {1, 1 << 20}, "longest sequence that has positions");
        v.choice(
            "share", share, {"none", "target", "all"},
            "shared weights: target: output layer and target embedding (Press and Wolf 2017); all: also the source embedding "
            "(3.4), which needs one vocabulary (data.joint_vocabulary)");
        v.flag("scale_embedding", scale_embedding, "embeddings are multiplied by sqrt(width) (3.4)");
        v.pattern("encoder_attention", encoder_attention, "how source positions attend to each other");
        v.pattern("attention", attention, "how target positions attend to earlier ones");
        v.pattern("cross_attention", cross_attention, "how target positions attend to the source");
    }
};

class TransformerSeq2Seq final : public TransformerModel {
  public:
    /// Parameters `encoder.embedding`, `encoder.0 ...`, `decoder.embedding`, `decoder.0 ...`,
    /// `head` (BlockStack). Throws Error for a task without a source, for vocabularies that cannot
    /// be shared, and for factors of attention that do not go together.
    TransformerSeq2Seq(const TransformerSeq2SeqOptions& options, const Scope& scope, const ModelSetup& setup);

    Scored score(const ScoreInput& batch, const LossOptions& options, const Pass& pass) const override;
    Estimated estimate(const Estimator& estimator, const ScoreInput& batch, const LossOptions& options,
                       const Context& context) const override;
    int64_t longest() const override;
    PositionLimits positions() const override { return {options_.max_length, options_.max_length, "max_length"}; }
    std::unique_ptr<DecoderState> start(const Ids& source, const Pass& pass) const override;
    Advanced advance(DecoderState& state, std::span<const int32_t> ids, const Pass& pass) const override;

  private:
    // One side: its embedding, positions and blocks.
    struct Side {
        Embedding embedding;
        Positions positions;
        Dropout dropout;
        BlockStack blocks;
    };
    Side make_side(const Scope& scope, int64_t vocabulary, const BlockOptions& blocks, const Pattern& self,
                   const CrossOptions& cross, const Site& first, Reads reads) const;
    // Ids [B, T], the first at `position`, to what goes into the blocks.
    Tensor embed(const Side& side, std::span<const int32_t> ids, int64_t rows, int64_t position, const Pass& pass) const;
    // Throws Error for more symbols than there are positions.
    void require_positions(int64_t symbols) const;
    Output encode(const Ids& source, const Pass& pass) const;
    void check_batch(const ScoreInput& batch, const LossOptions& options) const;
    Output decode(const Ids& input, const Output& memory, std::span<const int32_t> lengths, const Pass& pass) const;

    TransformerSeq2SeqOptions options_;
    Side encoder_, decoder_;
    OutputHead head_;
};

}  // namespace attend::ATTEND_PRECISION
