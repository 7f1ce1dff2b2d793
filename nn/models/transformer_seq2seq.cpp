#include "nn/models/transformer_seq2seq.h"

#include <algorithm>
#include <cmath>

#include "core/base/trace.h"
#include "core/ops.h"
#include "nn/models/row_order.h"

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
                                                       const Pattern& self, const CrossOptions& cross, const Site& first,
                                                       Reads reads) const {
    Side side;
    // Multiplied by sqrt(D), the embeddings begin at the size of the positions.
    const double deviation = options_.scale_embedding ? 1 / std::sqrt(static_cast<double>(blocks.width)) : 1;
    if (vocabulary > 0)
        side.embedding = Embedding(scope.in("embedding"), vocabulary, blocks.width, deviation);
    side.positions = Positions(scope.in("position"), options_.positions,
                               {.length = options_.max_length, .width = blocks.width, .reads = reads});
    side.dropout = Dropout(scope.in("dropout"), blocks.dropout);
    side.blocks = BlockStack(scope, blocks, self, cross, {}, side.positions.rotary(), first);
    return side;
}

TransformerSeq2Seq::TransformerSeq2Seq(const TransformerSeq2SeqOptions& o, const Scope& scope, const ModelSetup& setup)
    : TransformerModel("transformer_seq2seq", o.blocks, setup.target_vocabulary), options_(o) {
    require(setup.source_vocabulary > 0,
            "model transformer_seq2seq: needs a task with a source: source vocabulary {}, target vocabulary {}",
            setup.source_vocabulary, setup.target_vocabulary);
    require_following("transformer_seq2seq", setup);
    require(o.share != "all" || (setup.source_vocabulary == setup.target_vocabulary && setup.symbols == Symbols::same),
            "model transformer_seq2seq: share 'all' needs one vocabulary for both sides: source {} ids, target {} ids{}; "
            "\"joint_vocabulary\": true in data makes one, and share 'target' needs none",
            setup.source_vocabulary, setup.target_vocabulary,
            setup.source_vocabulary == setup.target_vocabulary ? ", of different symbols" : "");
    BlockOptions blocks = o.blocks;
    encoder_ = make_side(scope.in("encoder"), setup.source_vocabulary, blocks, o.encoder_attention, {},
                         {.kind = SiteKind::encoder, .affects = Affects::all, .option = "encoder_attention"}, Reads::whole);
    if (o.decoder_layers > 0)
        blocks.layers = o.decoder_layers;
    const bool all = o.share == "all";
    decoder_ = make_side(
        scope.in("decoder"), all ? 0 : setup.target_vocabulary, blocks, o.attention, {&o.cross_attention, blocks.width},
        {.number = static_cast<int64_t>(encoder_.blocks.sites().size()), .kind = SiteKind::self}, Reads::step_by_step);
    if (all)
        decoder_.embedding = encoder_.embedding;
    const Scope head = scope.in("head");
    head_ =
        o.share == "none"
            ? OutputHead(Linear(head, blocks.width, vocabulary_, blocks.with_bias(), WeightInit{}(blocks.width, vocabulary_)))
            : OutputHead(head, decoder_.embedding, blocks.with_bias());
    encoder_.positions.require_readers(encoder_.blocks.reads_distances() || decoder_.blocks.reads_distances());
    add_sites(scope, {&encoder_.blocks, &decoder_.blocks});
}

// With what the encoder's sites saw before what the decoder's did.
Output TransformerSeq2Seq::decode(const Ids& input, const Output& memory, std::span<const int32_t> lengths,
                                  const Pass& pass) const {
    const trace::Scope here("decoder");
    require_positions(input.columns);
    const Pass own = decoder_.positions.numbered(pass, input.lengths, input.columns);
    Output out = decoder_.blocks(embed(decoder_, input.values, input.rows, 0, own), input.lengths, memory.value, lengths, own);
    Sightings seen = memory.seen;
    append(seen, std::move(out.seen));
    return {std::move(out.value), std::move(seen)};
}

// With an encoder that chooses, every sample has an encoder's pass of its own; else they share one.
Estimated TransformerSeq2Seq::estimate(const Estimator& estimator, const ScoreInput& batch, const LossOptions& o,
                                       const Context& context) const {
    check_batch(batch, o);
    require_estimator(estimator);
    const bool chooses = !encoder_.blocks.hard().empty();
    const Tensor shared = chooses ? Tensor() : encode(batch.source, context).value;
    const BatchRollouts rollouts =
        row_rollouts(batch, target_mask(batch.target, o.ignored), context, sites(), [&](int64_t samples, const Pass& pass) {
            const Ids input = repeated(batch.input, samples), source = repeated(batch.source, samples);
            const Output memory = chooses ? encode(source, pass) : Output{repeated(shared, samples)};
            return head_.pass(decode(input, memory, source.lengths, pass), repeated(batch.target, samples), o);
        });
    return estimator(rollouts, o.normaliser, context);
}

int64_t TransformerSeq2Seq::longest() const {
    int64_t most = options_.max_length;
    for (const Site& site : sites())
        if (site.kind == SiteKind::self && site.room > 0)
            most = std::min(most, site.room);
    return most;
}

void TransformerSeq2Seq::require_positions(int64_t symbols) const {
    require(symbols <= options_.max_length,
            "model transformer_seq2seq: a sequence is longer than there are positions: symbols {}, model.max_length {}",
            symbols, options_.max_length);
}

// x = sqrt(D) e(id) + p
Tensor TransformerSeq2Seq::embed(const Side& side, std::span<const int32_t> ids, int64_t rows, int64_t position,
                                 const Pass& pass) const {
    const int64_t columns = static_cast<int64_t>(ids.size()) / rows;
    require_positions(position + columns);
    Tensor x = side.embedding(ids, {rows, columns});
    if (options_.scale_embedding)
        x = scale(x, std::sqrt(static_cast<real>(options_.blocks.width)));
    return side.dropout(side.positions(x, position, pass), pass);
}

Output TransformerSeq2Seq::encode(const Ids& source, const Pass& pass) const {
    const trace::Scope here("encoder");
    require_positions(source.columns);
    const Pass own = encoder_.positions.numbered(pass, source.lengths, source.columns);
    return encoder_.blocks(embed(encoder_, source.values, source.rows, 0, own), source.lengths, {}, {}, own);
}

void TransformerSeq2Seq::check_batch(const ScoreInput& batch, const LossOptions& o) const {
    require_plain("transformer_seq2seq", batch);
    require_batch(batch, o, batch.input.rows);
}

Scored TransformerSeq2Seq::score(const ScoreInput& batch, const LossOptions& o, const Pass& pass) const {
    if (estimator() != nullptr && pass.training())
        return score_by_estimator(*this, batch, o, pass);
    check_batch(batch, o);
    return head_.score(decode(batch.input, encode(batch.source, pass), batch.source.lengths, pass), batch.target, o);
}

std::unique_ptr<DecoderState> TransformerSeq2Seq::start(const Ids& source, const Pass& pass) const {
    const NoGrad off;
    auto state = std::make_unique<TransformerState>();
    state->cache = decoder_.blocks.begin(encode(source, pass.keeping_nothing()).value, source.lengths);
    state->count = source.rows;
    return state;
}

Advanced TransformerSeq2Seq::advance(DecoderState& state, std::span<const int32_t> ids, const Pass& pass) const {
    const NoGrad off;
    auto& s = own_state<TransformerState>(name_, state, ids);
    const Pass own = decoder_.positions.numbered_to_continue(pass);
    Output features = decoder_.blocks.extend(embed(decoder_, ids, s.rows(), s.position, own), s.cache, own);
    ++s.position;
    return {head_.logits(features.value.reshape({s.rows(), options_.blocks.width})), std::move(features.seen)};
}

}  // namespace attend::ATTEND_PRECISION
