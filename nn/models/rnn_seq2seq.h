#pragma once
/// The recurrent encoder-decoder with attention, in Bahdanau's form (attention from the previous
/// state, context into the cell: Bahdanau, Cho and Bengio 2015) and in Luong's (attention after the
/// cell, optionally fed back: Luong, Pham and Manning 2015).
#include <memory>
#include <string>
#include <vector>

#include "nn/attention/kind.h"
#include "nn/layers.h"
#include "nn/models/model.h"
#include "nn/recurrent.h"

namespace attend::ATTEND_PRECISION {

struct RnnSeq2SeqOptions {
    std::string cell = "gru";
    std::string form = "bahdanau";
    int64_t embedding = 32;
    int64_t hidden = 64;
    int64_t encoder_hidden = 0;
    int64_t encoder_layers = 1;
    int64_t decoder_layers = 1;
    bool bidirectional = true;
    bool input_feeding = false;
    double dropout = 0;
    Selection attention{attention_table(), "weighted"};
    void fields(Visitor& v) {
        v.choice("cell", cell, cell_names(), "the recurrent cell of encoder and decoder");
        v.choice("form", form, {"bahdanau", "luong"},
                 "bahdanau: attend from the previous state, context into the cell; luong: attend after the cell");
        v.integer("embedding", embedding, {1, 65536}, "width of the symbol embeddings");
        v.integer("hidden", hidden, {1, 65536}, "width of the decoder's state");
        v.integer("encoder_hidden", encoder_hidden, {0, 65536, "auto"},
                  "width of the encoder's state, one direction; auto: hidden");
        v.integer("encoder_layers", encoder_layers, {1, 64}, "stacked encoder layers");
        v.integer("decoder_layers", decoder_layers, {1, 64}, "stacked decoder layers");
        v.flag("bidirectional", bidirectional, "encoder reads in both directions");
        v.flag("input_feeding", input_feeding, "luong: the attentional state goes into the next step (Luong 2015, 3.3)");
        v.number("dropout", dropout, {0, 0.99}, "dropout probability of embeddings, between layers, and of the readout");
        v.selection("attention", attention, "how the decoder attends to the source");
    }
};

/// The encoder's states, prepared for the decoder.
struct EncodedSource {
    Attendable memory;
    Array<CellState> start;  ///< the decoder's layers before the first step
};

/// The state of the decoder: its layers, the attentional state fed back, the last weights, and the
/// number of the next step.
struct RnnDecoderPlace {
    Array<CellState> layers;
    Tensor feed;        ///< [B, hidden] with input feeding
    Previous previous;  ///< what the attention left at the step before
    int64_t step = 0;
};

struct PairsOfPositions;

class RnnSeq2Seq final : public Model {
  public:
    /// Throws Error for a missing source vocabulary and for combinations that make no sense.
    RnnSeq2Seq(const RnnSeq2SeqOptions& options, const Scope& scope, const ModelSetup& setup);

    Scored score(const ScoreInput& batch, const LossOptions& options, const Pass& pass) const override;
    Estimated estimate(const Estimator& estimator, const ScoreInput& batch, const LossOptions& options,
                       const Context& context) const override;
    const Estimator* estimator() const override { return estimator_.get(); }
    const HardChoice* hard() const override { return attention_->hard(); }
    const Sites& sites() const override { return sites_; }
    EstimatorSetup estimator_setup() const override { return {options_.hidden, encoder_.width(), head_.weight.dim(1)}; }
    bool reads_own_symbols() const override { return estimator_ == nullptr; }
    std::unique_ptr<DecoderState> start(const Ids& source, const Pass& pass) const override;
    Advanced advance(DecoderState& state, std::span<const int32_t> ids, const Pass& pass) const override;

  private:
    // What a step leaves for the readout: the state and the context, or in Luong's form the
    // finished readout.
    struct StepOutput {
        Tensor state, context, readout, penalty;
        Sightings seen;
    };
    bool luong() const { return options_.form == "luong"; }
    bool parallel() const { return luong() && !options_.input_feeding; }
    void check_batch(const ScoreInput& batch) const;
    void check_fits(const Estimator& estimator) const;
    void check_evaluation(const HardChoice& hard) const;
    // Whether this pass sums over the positions of every step (HardChoice::Evaluate::marginal).
    bool sums_positions(const Pass& pass) const;
    Tensor summed(const Tensor& states, const Tensor& weights, const EncodedSource& source) const;
    Scored score_marginal(const EncodedSource& source, const ScoreInput& batch, const LossOptions& options,
                          const Pass& pass) const;
    EncodedSource encode(const Ids& source, const Context& context) const;
    RnnDecoderPlace begin(const EncodedSource& source) const;
    // One step of the decoder, with its equations.
    StepOutput step(const Tensor& projected, const EncodedSource& source, RnnDecoderPlace& place, const Pass& pass) const;
    Tensor read_out(const Tensor& state, const Tensor& attended, const Tensor& embedded) const;
    // One pass of the decoder for an estimator of hard attention: K samples, recorded.
    Rollout rollout(const EncodedSource& source, const ScoreInput& batch, const LossOptions& options, const Context& context,
                    const Choosing& way, int64_t samples) const;
    // What it would be to read each position of a support, without a query for each.
    ByPosition by_position(const EncodedSource& source, const ScoreInput& batch, const LossOptions& options,
                           const Context& context, const SupportOf& support) const;
    Tensor pairs_read_out(const Tensor& states, const Tensor& values, const PairsOfPositions& pairs,
                          const Context& context) const;
    // Features of every position: [T, B, F] step by step, [B, T, F] with all queries at once.
    Output steps(const Ids& input, const EncodedSource& source, const Pass& pass) const;
    // The same with some input symbols the model's own (LossOptions::own_inputs).
    Output steps_with_own(const Ids& input, const EncodedSource& source, const LossOptions& own, const Context& context) const;
    // The loss of a pass's scores, over the targets that have one.
    Tensor penalty_of(const Tensor& penalty, const Ids& target, const LossOptions& options) const;
    Tensor features_of(const Array<Tensor>& outputs, const Array<Tensor>& contexts, const Tensor& embedded,
                       const Context& context) const;
    Array<int32_t> next_inputs(const Ids& input, int64_t t, const Tensor& logits, const LossOptions& own,
                               const Context& context) const;
    // The decoder's states [B, T, H] where no context goes into them.
    Tensor states_of(const Ids& input, const EncodedSource& source, const Context& context) const;
    Output all_at_once(const Ids& input, const EncodedSource& source, const Pass& pass) const;
    // Dropout of what is read out for K samples [B, K T, F].
    Tensor readout_dropped(const Tensor& x, int64_t samples, const Context& context) const;

    RnnSeq2SeqOptions options_;
    Embedding source_embedding_, target_embedding_;
    Dropout source_dropout_, target_dropout_, readout_dropout_;
    RecurrentStack encoder_;
    std::vector<Linear> bridge_, bridge_cell_;
    std::vector<RecurrentLayer> decoder_;
    std::vector<Dropout> between_;
    std::unique_ptr<SourceAttention> attention_;
    int64_t context_ = 0;  // width of what a step reads of the source; 0: nothing
    Sites sites_;
    std::unique_ptr<Estimator> estimator_;  // of hard attention
    Linear readout_, head_;
    uint64_t own_inputs_ = 0;  // names the draws of scheduled sampling
};

}  // namespace attend::ATTEND_PRECISION
