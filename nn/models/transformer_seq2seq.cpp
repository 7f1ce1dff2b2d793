#include "nn/models/transformer_seq2seq.h"

#include <cmath>

#include "core/ops.h"
#include "core/base/trace.h"
#include "nn/models/row_order.h"
#include "nn/models/row_plays.h"

namespace attend::ATTEND_PRECISION {

namespace {

class TransformerState final : public DecoderState {
  public:
    StackCache cache;
    int64_t count = 0, position = 0;

    int64_t rows() const override { return count; }
    std::unique_ptr<DecoderState> select(std::span<const int32_t> rows) const override {
        auto out = std::make_unique<TransformerState>();
        out->cache = cache.select(rows);
        out->count = static_cast<int64_t>(rows.size());
        out->position = position;
        return out;
    }
};

}  // namespace

TransformerSeq2Seq::Side TransformerSeq2Seq::make_side(const Scope& scope, int64_t vocabulary, const BlockOptions& blocks,
                                                       const AttentionOptions& self, const CrossOptions& cross) const {
    Side side;
    // With sqrt(D) in front the embeddings begin at the size of the positions.
    const double deviation = options_.scale_embedding ? 1 / std::sqrt(static_cast<double>(blocks.width)) : 1;
    if (vocabulary > 0)
        side.embedding = Embedding(scope.in("embedding"), vocabulary, blocks.width, deviation);
    if (options_.positions == "learned") {
        side.position_path = scope.in("position").path();
        side.position = scope.in("position").add("weight", {options_.max_length, blocks.width}, Init::normal(0.02));
    } else if (options_.positions == "sinusoidal") {
        side.position = sinusoidal_positions(options_.max_length, blocks.width);
    }
    side.dropout = Dropout(scope.in("dropout"), blocks.dropout);
    side.blocks = BlockStack(scope, blocks, self, cross, {}, options_.positions == "rotary");
    return side;
}

TransformerSeq2Seq::TransformerSeq2Seq(const TransformerSeq2SeqOptions& o, const Scope& scope, const ModelSetup& setup)
    : options_(o) {
    require(setup.source_vocabulary > 0,
            "model transformer_seq2seq: needs a task with a source: source vocabulary {}, target vocabulary {}",
            setup.source_vocabulary, setup.target_vocabulary);
    require_following("transformer_seq2seq", setup);
    require(o.share != "all" || (setup.source_vocabulary == setup.target_vocabulary && setup.symbols == Symbols::same),
            "model transformer_seq2seq: share 'all' needs one vocabulary for both sides: source {} ids, target {} ids{}; "
            "\"joint_vocabulary\": true in data makes one, and share 'target' needs none",
            setup.source_vocabulary, setup.target_vocabulary,
            setup.source_vocabulary == setup.target_vocabulary ? ", of different symbols" : "");
    require(
        window_table().build(o.attention.window)->is_causal(),
        "model transformer_seq2seq: attention.window '{}' shows a target position what it has to predict; 'causal' does not",
        o.attention.window.name());
    BlockOptions blocks = o.blocks;
    encoder_ = make_side(scope.in("encoder"), setup.source_vocabulary, blocks, o.encoder_attention, {});
    if (o.decoder_layers > 0)
        blocks.layers = o.decoder_layers;
    const bool all = o.share == "all";
    decoder_ = make_side(scope.in("decoder"), all ? 0 : setup.target_vocabulary, blocks, o.attention,
                         {&o.cross_attention, blocks.width});
    if (all)
        decoder_.embedding = encoder_.embedding;
    if (!tied())
        head_ = Linear(scope.in("head"), blocks.width, setup.target_vocabulary, Bias::no,
                       WeightInit{}(blocks.width, setup.target_vocabulary));
    if (blocks.bias)
        head_bias_ = scope.in("head").add("bias", {setup.target_vocabulary}, Init::zeros());
    classes_ = setup.target_vocabulary;
    estimator_ =
        estimator_of_sites("transformer_seq2seq", hard_sites(), scope.in("estimator"), estimator_setup(), o.blocks.recompute);
}

std::vector<const HardChoice*> TransformerSeq2Seq::hard_sites() const {
    std::vector<const HardChoice*> all = decoder_.blocks.hard();
    for (const HardChoice* site : encoder_.blocks.hard()) all.push_back(site);
    return all;
}

Tensor TransformerSeq2Seq::decode(const Ids& input, const Tensor& memory, std::span<const int32_t> lengths,
                                  const Context& context) const {
    const trace::Scope here("decoder");
    return decoder_.blocks(embed(decoder_, input.values, input.rows, 0, context), input.lengths, memory, lengths, context);
}

// With an encoder that chooses, every sample has an encoder's pass of its own; else they share one.
Estimated TransformerSeq2Seq::estimate(const Estimator& estimator, const ScoreInput& batch, const LossOptions& o,
                                       const Context& context) const {
    check_batch(batch, o);
    require(
        hard() != nullptr,
        "model transformer_seq2seq: no attention of it chooses a position: selects 'cross_attention' '{}', 'attention' '{}'",
        options_.cross_attention.select.name(), options_.attention.select.name());
    require_for_many_sites("transformer_seq2seq", estimator);
    const bool chooses = !encoder_.blocks.hard().empty();
    const Tensor shared = chooses ? Tensor() : encode(batch.source, context);
    const RowPlays play(batch, counted_targets(batch.target, o.ignored), context, [&](int64_t samples, const Context& asked) {
        const Ids input = repeated(batch.input, samples), source = repeated(batch.source, samples);
        const Tensor memory = chooses ? encode(source, asked) : repeated(shared, samples);
        const std::size_t in_encoder = asked.decisions->taken.size();
        const Tensor features = decode(input, memory, source.lengths, asked);
        const trace::Scope here("head");
        RowLosses each =
            head_row_losses(features.reshape({input.rows * input.columns, options_.blocks.width}),
                            tied() ? decoder_.embedding.weight : head_.weight, tied() ? Transpose::yes : Transpose::no,
                            head_bias_, ignoring_padding(repeated(batch.target, samples), o.ignored), o.cross_entropy());
        return RowPass{each.loss.reshape({input.rows, input.columns}), std::move(each.predicted), in_encoder};
    });
    return estimator(play, o.normaliser, context);
}

// x = sqrt(D) e(id) + p
Tensor TransformerSeq2Seq::embed(const Side& side, std::span<const int32_t> ids, int64_t rows, int64_t position,
                                 const Context& context) const {
    const int64_t columns = static_cast<int64_t>(ids.size()) / rows;
    require(position + columns <= options_.max_length,
            "model transformer_seq2seq: a sequence is longer than there are positions: symbols {}, model.max_length {}",
            position + columns, options_.max_length);
    Tensor x = side.embedding(ids, {rows, columns});
    if (options_.scale_embedding)
        x = scale(x, std::sqrt(static_cast<real>(options_.blocks.width)));
    if (side.position.defined()) {
        const trace::Scope here(side.position_path.c_str());
        x = add(x, side.position.rows(position, position + columns));
    }
    return side.dropout(x, context);
}

Tensor TransformerSeq2Seq::encode(const Ids& source, const Context& context) const {
    const trace::Scope here("encoder");
    return encoder_.blocks(embed(encoder_, source.values, source.rows, 0, context), source.lengths, {}, {}, context);
}

void TransformerSeq2Seq::check_batch(const ScoreInput& batch, const LossOptions& o) const {
    const auto& [source, input, target, segments, labels] = batch;
    require_plain("transformer_seq2seq", batch);
    require(input.rows == source.rows && target.rows == input.rows && target.columns == input.columns && input.columns > 0,
            "model transformer_seq2seq: batch does not fit together: source {} rows, input {} x {}, target {} x {}",
            source.rows, input.rows, input.columns, target.rows, target.columns);
    require(o.own_inputs == 0,
            "objective: scheduled sampling is for models that read step by step: model transformer_seq2seq, "
            "share {}",
            o.own_inputs);
}

Scored TransformerSeq2Seq::score(const ScoreInput& batch, const LossOptions& o, const Context& context) const {
    const auto& [source, input, target, segments, labels] = batch;
    if (estimator_ && context.training())
        return score_by_estimator(*this, batch, o, context);
    check_batch(batch, o);
    const Tensor memory = encode(source, context), features = decode(input, memory, source.lengths, context);
    const trace::Scope here("head");
    const CrossEntropyResult r =
        head_cross_entropy(features.reshape({input.rows * input.columns, options_.blocks.width}),
                           tied() ? decoder_.embedding.weight : head_.weight, tied() ? Transpose::yes : Transpose::no,
                           head_bias_, ignoring_padding(target, o.ignored), o.cross_entropy());
    return {r.loss, r.row_loss.reshape({input.rows, input.columns}), r.predicted};
}

std::unique_ptr<DecoderState> TransformerSeq2Seq::start(const Ids& source, const Context& context) const {
    const NoGrad off;
    auto state = std::make_unique<TransformerState>();
    state->cache = decoder_.blocks.begin(encode(source, context), source.lengths);
    state->count = source.rows;
    return state;
}

Tensor TransformerSeq2Seq::advance(DecoderState& state, std::span<const int32_t> ids, const Context& context) const {
    const NoGrad off;
    auto* s = dynamic_cast<TransformerState*>(&state);
    ensure(s != nullptr, "model transformer_seq2seq: decoder state of another model: {} rows, {} ids", state.rows(),
           ids.size());
    require(static_cast<int64_t>(ids.size()) == s->rows() && s->rows() > 0,
            "model transformer_seq2seq: one id a row: {} ids, {} rows", ids.size(), s->rows());
    const Tensor features = decoder_.blocks.extend(embed(decoder_, ids, s->rows(), s->position, context), s->cache, context)
                                .reshape({s->rows(), options_.blocks.width});
    ++s->position;
    const trace::Scope here("head");
    const Tensor logits = matmul(features, tied() ? decoder_.embedding.weight : head_.weight, Transpose::no,
                                 tied() ? Transpose::yes : Transpose::no);
    return head_bias_.defined() ? add(logits, head_bias_) : logits;
}

}  // namespace attend::ATTEND_PRECISION
