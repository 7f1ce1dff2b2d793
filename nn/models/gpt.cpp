#include "nn/models/gpt.h"

#include <algorithm>
#include <cmath>

#include "core/ops.h"
#include "core/base/trace.h"
#include "nn/models/row_order.h"
#include "nn/models/row_plays.h"
#include "nn/models/transformer_layout.h"

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

Gpt::Gpt(const GptOptions& o, const Scope& scope, const ModelSetup& setup) : options_(o), vocabulary_(setup.target_vocabulary) {
    require(setup.source_vocabulary == 0,
            "model gpt: it reads one text and continues it, so it needs a task without a source, as 'text': source vocabulary "
            "{}, target vocabulary {}",
            setup.source_vocabulary, setup.target_vocabulary);
    require_following("gpt", setup);
    require(window_table().build(o.attention.window)->is_causal(),
            "model gpt: window '{}' shows a position what it has to predict; 'causal' does not", o.attention.window.name());
    const BlockOptions& b = o.blocks;
    embedding_ = Embedding(scope.in("embedding"), vocabulary_, b.width, o.init);
    if (o.positions == "learned") {
        position_path_ = scope.in("position").path();
        position_ = scope.in("position").add("weight", {o.context, b.width}, Init::normal(o.init));
    } else if (o.positions == "sinusoidal") {
        position_ = sinusoidal_positions(o.context, b.width);
    }
    dropout_ = Dropout(scope.in("dropout"), b.dropout);
    const double residual = o.scale_residual ? o.init / std::sqrt(2.0 * static_cast<double>(b.layers)) : o.init;
    decoder_ = BlockStack(scope.in("decoder"), b, o.attention, {}, {{o.init}, {residual}}, o.positions == "rotary");
    if (!o.tie)
        head_ = Linear(scope.in("head"), b.width, vocabulary_, Bias::no, Init::normal(o.init));
    estimator_ = estimator_of_sites("gpt", decoder_.hard(), scope.in("estimator"), estimator_setup(), b.recompute);
}

Estimated Gpt::estimate(const Estimator& estimator, const ScoreInput& batch, const LossOptions& o,
                        const Context& context) const {
    check_batch(batch, o);
    require(hard() != nullptr, "model gpt: its attention chooses no position: select is '{}'",
            options_.attention.select.name());
    require_for_many_sites("gpt", estimator);
    const RowPlays play(batch, counted_targets(batch.target, o.ignored), context, [&](int64_t samples, const Context& asked) {
        const Ids input = repeated(batch.input, samples);
        const Tensor features = decoder_(embed(input.values, input.rows, 0, asked), input.lengths, {}, {}, asked);
        const trace::Scope here("head");
        RowLosses each = head_row_losses(features.reshape({input.rows * input.columns, options_.blocks.width}), head_weight(),
                                         options_.tie ? Transpose::yes : Transpose::no, {},
                                         ignoring_padding(repeated(batch.target, samples), o.ignored), o.cross_entropy());
        return RowPass{each.loss.reshape({input.rows, input.columns}), std::move(each.predicted)};
    });
    return estimator(play, o.normaliser, context);
}

Tensor Gpt::embed(std::span<const int32_t> ids, int64_t rows, int64_t position, const Context& context) const {
    const int64_t columns = static_cast<int64_t>(ids.size()) / rows;
    Tensor x = embedding_(ids, {rows, columns});
    if (position_.defined()) {
        const trace::Scope here(position_path_.c_str());
        x = add(x, position_.rows(position, position + columns));
    }
    return dropout_(x, context);
}

void Gpt::check_batch(const ScoreInput& batch, const LossOptions& o) const {
    const auto& [source, input, target, segments, labels] = batch;
    require_plain("gpt", batch);
    require(source.rows == 0 && target.rows == input.rows && target.columns == input.columns && input.columns > 0,
            "model gpt: batch does not fit together: source {} rows, input {} x {}, target {} x {}", source.rows, input.rows,
            input.columns, target.rows, target.columns);
    require(input.columns <= options_.context, "model gpt: the input is longer than the context: {} columns, context {}",
            input.columns, options_.context);
    require(o.own_inputs == 0, "objective: scheduled sampling is for models that read step by step: model gpt, share {}",
            o.own_inputs);
}

Scored Gpt::score(const ScoreInput& batch, const LossOptions& o, const Context& context) const {
    const auto& [source, input, target, segments, labels] = batch;
    if (estimator_ && context.training())
        return score_by_estimator(*this, batch, o, context);
    check_batch(batch, o);
    const Tensor x = embed(input.values, input.rows, 0, context);
    const Tensor features = decoder_(x, input.lengths, {}, {}, context);
    const trace::Scope here("head");
    const CrossEntropyResult r = head_cross_entropy(features.reshape({input.rows * input.columns, options_.blocks.width}),
                                                    head_weight(), options_.tie ? Transpose::yes : Transpose::no, {},
                                                    ignoring_padding(target, o.ignored), o.cross_entropy());
    return {r.loss, r.row_loss.reshape({input.rows, input.columns}), r.predicted};
}

PublishedLayout Gpt::published_layout() const {
    const BlockOptions& b = options_.blocks;
    require_form({"gpt", "GPT-2", "pre", "causal"}, b, options_.attention, options_.positions);
    PublishedLayout l;
    l.model_type = "gpt2";
    l.architecture = "GPT2LMHeadModel";
    l.family = "GPT2";
    l.prefix = "transformer.";
    l.telling = "h.0.attn.c_attn.weight";
    const auto both = [&](const std::string& theirs_name, const std::string& ours) {
        for (const char* part : {".weight", ".bias"}) l.tensors.push_back({l.prefix + theirs_name + part, ours + part});
    };
    l.tensors.push_back({l.prefix + "wte.weight", "embedding.weight", Transpose::no, 0, 0, PublishedRows::ids});
    l.tensors.push_back({l.prefix + "wpe.weight", "position.weight"});
    for (int64_t i = 0; i < b.layers; ++i) {
        const std::string h = "h." + std::to_string(i), d = "decoder." + std::to_string(i);
        both(h + ".ln_1", d + ".self_norm");
        both(h + ".attn.c_attn", d + ".self.qkv");  // a Conv1D: [in, out], queries, keys and values side by side, as here
        both(h + ".attn.c_proj", d + ".self.out");
        both(h + ".ln_2", d + ".ffn_norm");
        both(h + ".mlp.c_fc", d + ".ffn.up");
        both(h + ".mlp.c_proj", d + ".ffn.down");
    }
    both("ln_f", "decoder.norm");
    if (options_.tie)
        l.copies.push_back({"lm_head.weight", l.prefix + "wte.weight", "embedding.weight"});
    else
        l.tensors.push_back({"lm_head.weight", "head.weight", Transpose::yes, 0, 0, PublishedRows::ids});
    l.passed_over = {"h.*.attn.bias", "h.*.attn.masked_bias"};
    l.decisive = {{"vocab_size", vocabulary_},
                  {"n_positions", options_.context},
                  {"n_embd", b.width},
                  {"n_layer", b.layers},
                  {"n_head", b.heads},
                  {"n_inner", b.ffn_width()},
                  {"activation_function", published_activation(b.activation)},
                  {"layer_norm_epsilon", b.norm_epsilon}};
    l.unsaid = {{"n_head", int64_t{12}},
                {"activation_function", std::string("gelu_new")},
                {"layer_norm_epsilon", 1e-5},
                {"tie_word_embeddings", true}};
    l.only = {{"scale_attn_by_inverse_layer_idx", false},
              {"scale_attn_weights", true},
              {"add_cross_attention", false},
              {"tie_word_embeddings", options_.tie}};
    l.further = {{"n_ctx", options_.context},
                 {"embd_pdrop", b.dropout},
                 {"attn_pdrop", b.dropout},
                 {"resid_pdrop", b.dropout},
                 {"initializer_range", options_.init},
                 {"tie_word_embeddings", options_.tie},
                 {"scale_attn_weights", true}};
    return l;
}

Tensor Gpt::logits(const Tensor& features) const {
    return matmul(features, head_weight(), Transpose::no, options_.tie ? Transpose::yes : Transpose::no);
}

std::unique_ptr<DecoderState> Gpt::start(const Ids& written, const Context& context) const {
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
    decoder_.extend(embed(ids, written.rows, 0, context), state->cache, context);
    return state;
}

Tensor Gpt::advance(DecoderState& state, std::span<const int32_t> ids, const Context& context) const {
    const NoGrad off;
    auto* s = dynamic_cast<GptState*>(&state);
    ensure(s != nullptr, "model gpt: decoder state of another model: {} rows, {} ids", state.rows(), ids.size());
    require(static_cast<int64_t>(ids.size()) == s->rows() && s->rows() > 0, "model gpt: one id a row: {} ids, {} rows",
            ids.size(), s->rows());
    if (s->filled() >= options_.context) {  // positions are counted from the first: begin again with the last half
        Ids written(s->rows(), s->filled());
        for (int64_t r = 0; r < written.rows; ++r) {
            const Array<int32_t>& text = s->text[static_cast<std::size_t>(r)];
            std::copy(text.begin(), text.end(), written.values.begin() + r * written.columns);
            written.lengths[static_cast<std::size_t>(r)] = static_cast<int32_t>(written.columns);
        }
        const std::unique_ptr<DecoderState> again = start(written, context);
        *s = std::move(dynamic_cast<GptState&>(*again));
    }
    const Tensor features = decoder_.extend(embed(ids, s->rows(), s->filled(), context), s->cache, context);
    for (std::size_t r = 0; r < ids.size(); ++r) s->text[r].push_back(ids[r]);
    const trace::Scope here("head");
    return logits(features.reshape({s->rows(), options_.blocks.width}));
}

}  // namespace attend::ATTEND_PRECISION
