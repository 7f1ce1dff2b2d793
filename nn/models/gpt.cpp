#include "nn/models/gpt.h"

#include <algorithm>
#include <cmath>

#include "nn/models/row_order.h"

namespace attend::ATTEND_PRECISION {

namespace {

class GptState final : public DecoderState {
  public:
    StackCache cache;
    std::vector<Array<int32_t>> text;  // of each row: what the cache holds, to begin again from when it is full

    int64_t rows() const override { return static_cast<int64_t>(text.size()); }
    int64_t filled() const { return text.empty() ? 0 : static_cast<int64_t>(text.front().size()); }
    std::unique_ptr<DecoderState> select(std::span<const int32_t> rows) const override {
        auto out = std::make_unique<GptState>();
        for (const int32_t r : rows) out->text.push_back(text[static_cast<std::size_t>(r)]);
        out->cache = cache.select(rows);
        return out;
    }
};

}  // namespace

Gpt::Gpt(const GptOptions& o, const Scope& scope, const ModelSetup& setup)
    : TransformerModel("gpt", o.blocks, setup.target_vocabulary), options_(o) {
    require(setup.source_vocabulary == 0,
            "model gpt: it reads one text and continues it, so it needs a task without a source, as 'text': source vocabulary "
            "{}, target vocabulary {}",
            setup.source_vocabulary, setup.target_vocabulary);
    require_following("gpt", setup);
    const BlockOptions& b = o.blocks;
    embedding_ = Embedding(scope.in("embedding"), vocabulary_, b.width, o.embedding_init > 0 ? o.embedding_init : o.init);
    positions_ = Positions(scope.in("position"), o.positions,
                           {.length = o.context, .width = b.width, .deviation = o.init, .reads = Reads::step_by_step});
    dropout_ = Dropout(scope.in("dropout"), b.dropout);
    const double residual = o.scale_residual ? o.init / std::sqrt(2.0 * static_cast<double>(b.layers)) : o.init;
    decoder_ = BlockStack(scope.in("decoder"), b, o.attention, {}, {{o.init}, {residual}}, positions_.rotary(),
                          {.kind = SiteKind::self, .affects = Affects::following});
    positions_.require_readers(decoder_.reads_distances());
    const Scope head = scope.in("head");
    head_ = o.tie ? OutputHead(head, embedding_, Bias::no)
                  : OutputHead(Linear(head, b.width, vocabulary_, Bias::no, Init::normal(o.init)));
    add_sites(scope, {&decoder_});
}

Estimated Gpt::estimate(const Estimator& estimator, const ScoreInput& batch, const LossOptions& o,
                        const Context& context) const {
    check_batch(batch, o);
    require_estimator(estimator);
    const BatchRollouts rollouts =
        row_rollouts(batch, target_mask(batch.target, o.ignored), context, sites(), [&](int64_t samples, const Pass& pass) {
            const Ids input = repeated(batch.input, samples);
            return head_.pass(decode(input, pass), repeated(batch.target, samples), o);
        });
    return estimator(rollouts, o.normaliser, context);
}

Tensor Gpt::embed(std::span<const int32_t> ids, int64_t rows, int64_t position, const Pass& pass) const {
    const int64_t columns = static_cast<int64_t>(ids.size()) / rows;
    return dropout_(positions_(embedding_(ids, {rows, columns}), position, pass), pass);
}

Output Gpt::decode(const Ids& input, const Pass& pass) const {
    const Pass own = positions_.numbered(pass, input.lengths, input.columns);
    return decoder_(embed(input.values, input.rows, 0, own), input.lengths, {}, {}, own);
}

void Gpt::check_batch(const ScoreInput& batch, const LossOptions& o) const {
    const Ids& input = batch.input;
    require_plain("gpt", batch);
    require_batch(batch, o, 0);
    require(input.columns <= options_.context, "model gpt: the input is longer than the context: {} columns, context {}",
            input.columns, options_.context);
}

Scored Gpt::score(const ScoreInput& batch, const LossOptions& o, const Pass& pass) const {
    if (estimator() != nullptr && pass.training())
        return score_by_estimator(*this, batch, o, pass);
    check_batch(batch, o);
    return head_.score(decode(batch.input, pass), batch.target, o);
}

std::unique_ptr<DecoderState> Gpt::start(const Ids& written, const Pass& pass) const {
    const NoGrad off;
    auto state = std::make_unique<GptState>();
    state->cache = decoder_.begin({}, {});
    state->text.resize(static_cast<std::size_t>(written.rows));
    for (int64_t r = 0; r < written.rows; ++r)
        require(written.length(r) == written.columns, "model gpt: rows to continue are equally long: row {} has {}, row 0 {}",
                r, written.length(r), written.columns);
    const int64_t keep = written.columns < options_.context ? written.columns : options_.context / 2;
    if (keep == 0)
        return state;
    Array<int32_t> ids;
    for (int64_t r = 0; r < written.rows; ++r) {
        Array<int32_t>& text = state->text[static_cast<std::size_t>(r)];
        text.assign(written.row(r) + written.columns - keep, written.row(r) + written.columns);
        ids.insert(ids.end(), text.begin(), text.end());
    }
    const Pass own = positions_.numbered_to_continue(pass.keeping_nothing());
    decoder_.extend(embed(ids, written.rows, 0, own), state->cache, own);
    return state;
}

Advanced Gpt::advance(DecoderState& state, std::span<const int32_t> ids, const Pass& pass) const {
    const NoGrad off;
    auto& s = own_state<GptState>(name_, state, ids);
    if (s.filled() >= options_.context) {  // positions are counted from the first: begin again with the last half
        Ids written(s.rows(), s.filled());
        for (int64_t r = 0; r < written.rows; ++r) {
            const Array<int32_t>& text = s.text[static_cast<std::size_t>(r)];
            std::copy(text.begin(), text.end(), written.values.begin() + r * written.columns);
            written.lengths[static_cast<std::size_t>(r)] = static_cast<int32_t>(written.columns);
        }
        const std::unique_ptr<DecoderState> again = start(written, pass);
        s = std::move(dynamic_cast<GptState&>(*again));
    }
    const Pass own = positions_.numbered_to_continue(pass);
    Output features = decoder_.extend(embed(ids, s.rows(), s.filled(), own), s.cache, own);
    for (std::size_t r = 0; r < ids.size(); ++r) s.text[r].push_back(ids[r]);
    return {head_.logits(features.value.reshape({s.rows(), options_.blocks.width})), std::move(features.seen)};
}

}  // namespace attend::ATTEND_PRECISION
