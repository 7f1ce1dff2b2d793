#include "nn/models/rnn_seq2seq.h"

#include <algorithm>
#include <cmath>

#include "core/base/trace.h"
#include "core/engine.h"
#include "core/ops.h"
#include "nn/models/row_rollouts.h"

namespace attend::ATTEND_PRECISION {

namespace {

constexpr double embedding_deviation = 1;

// [B, 1] each to [B, T]; undefined where there are none.
Tensor side_by_side(const Array<Tensor>& steps) { return steps.empty() ? Tensor() : concat(std::span<const Tensor>(steps), 1); }

class RnnDecoderState final : public DecoderState {
  public:
    EncodedSource source;
    RnnDecoderPlace place;
    Array<int32_t> origin;  // row of the encoded source that each row reads

    int64_t rows() const override { return source.memory.values.dim(0); }
    std::unique_ptr<DecoderState> select(std::span<const int32_t> rows) const override {
        const NoGrad off;
        const auto pick_rows = [rows](const Tensor& x) {
            if (!x.defined())
                return x;
            return embedding(x.reshape({x.dim(0), x.shape().inner(0)}), rows, {static_cast<int64_t>(rows.size())})
                .reshape(x.shape().with(0, static_cast<int64_t>(rows.size())));
        };
        auto out = std::make_unique<RnnDecoderState>();
        for (const int32_t r : rows) out->origin.push_back(origin[static_cast<std::size_t>(r)]);
        if (out->origin == origin) {  // a beam in another order: the source, by far the largest part, stays where it is
            out->source.memory = source.memory;
        } else {
            out->source.memory.keys = pick_rows(source.memory.keys);
            out->source.memory.values = pick_rows(source.memory.values);
            for (const int32_t r : rows)
                out->source.memory.lengths.push_back(source.memory.lengths[static_cast<std::size_t>(r)]);
        }
        for (const CellState& s : place.layers) out->place.layers.push_back({pick_rows(s.h), pick_rows(s.c)});
        out->place.feed = pick_rows(place.feed);
        out->place.previous = {pick_rows(place.previous.weights), pick_rows(place.previous.score),
                               pick_rows(place.previous.align)};
        out->place.step = place.step;
        return out;
    }
};

}  // namespace

RnnSeq2Seq::RnnSeq2Seq(const RnnSeq2SeqOptions& o, const Scope& scope, const ModelSetup& setup) : options_(o) {
    require(setup.source_vocabulary > 0,
            "model rnn_seq2seq: needs a task with a source: source vocabulary {}, target vocabulary {}",
            setup.source_vocabulary, setup.target_vocabulary);
    require_following("rnn_seq2seq", setup);
    require(luong() || !o.input_feeding,
            "model rnn_seq2seq: input_feeding belongs to form 'luong': input_feeding {}, form '{}'", o.input_feeding, o.form);
    const CellKind kind = cell_kind(o.cell);
    const int64_t encoder_hidden = o.encoder_hidden == 0 ? o.hidden : o.encoder_hidden;
    const Scope encoder = scope.in("encoder"), decoder = scope.in("decoder");
    source_embedding_ = Embedding(encoder.in("embedding"), setup.source_vocabulary, o.embedding, embedding_deviation);
    source_dropout_ = Dropout(encoder.in("embedding_dropout"), o.dropout);
    encoder_ = RecurrentStack(encoder.in("rnn"), kind, o.bidirectional ? Directions::two : Directions::one, o.encoder_layers,
                              o.embedding, encoder_hidden, o.dropout);
    const int64_t memory = encoder_.width();

    target_embedding_ = Embedding(decoder.in("embedding"), setup.target_vocabulary, o.embedding, embedding_deviation);
    target_dropout_ = Dropout(decoder.in("embedding_dropout"), o.dropout);
    const std::unique_ptr<AttentionKind> attends = attention_table().build(o.attention);
    context_ = attends->context(memory);
    require(context_ > 0 || !o.bidirectional,
            "model rnn_seq2seq: with attention '{}' the decoder has the encoder's last state alone, which is that of one "
            "direction: "
            "bidirectional {}; set model.bidirectional to false",
            o.attention.name(), o.bidirectional);
    int64_t in = o.embedding + (luong() ? (o.input_feeding ? o.hidden : 0) : context_);
    for (int64_t l = 0; l < o.decoder_layers; ++l) {
        bridge_.emplace_back(scope.in("bridge").in(l), encoder_hidden, o.hidden, Bias::yes);
        if (kind == CellKind::lstm)
            bridge_cell_.emplace_back(scope.in("bridge_cell").in(l), encoder_hidden, o.hidden, Bias::yes);
        decoder_.emplace_back(decoder.in("cell").in(l), kind, in, o.hidden);
        between_.emplace_back(decoder.in("cell").in(l).in("dropout"), o.dropout);
        in = o.hidden;
    }
    attention_ =
        attends->to_source(scope.in("attention"),
                           {.query = o.hidden,
                            .memory = memory,
                            .kind = QueryKind{parallel(), false},
                            .site = {.kind = SiteKind::cross, .affects = parallel() ? Affects::own_step : Affects::following}});
    sites_ = attention_->sites();
    const int64_t features = luong() ? o.hidden : o.embedding;
    readout_ = Linear(scope.in("readout"), o.hidden + context_ + (luong() ? 0 : o.embedding), features, Bias::yes);
    readout_dropout_ = Dropout(scope.in("readout_dropout"), o.dropout);
    head_ = Linear(scope.in("head"), features, setup.target_vocabulary, Bias::yes);
    own_inputs_ = hash_name(decoder.in("own_inputs").path());
    if (const HardChoice* hard = attention_->hard()) {
        estimator_ = estimator_table().build(hard->estimator, scope.in(estimator_scope), estimator_setup());
        check_fits(*estimator_);
        check_evaluation(*hard);
    }
}

EncodedSource RnnSeq2Seq::encode(const Ids& source, const Context& context) const {
    const trace::Scope here("encoder");
    require(source.rows > 0 && source.columns > 0, "model rnn_seq2seq: empty source: {} rows, {} columns", source.rows,
            source.columns);
    const Tensor x = source_dropout_(source_embedding_(source.values, {source.rows, source.columns}), context);
    const LayerOutput states = encoder_(x, source.lengths, context);
    EncodedSource out;
    out.memory = attention_->prepare(states.outputs, source.lengths);
    // The backward direction ends at the first symbol: s_0 = tanh(W h_1) (Bahdanau 2015, A.2.2).
    for (std::size_t l = 0; l < decoder_.size(); ++l)
        out.start.push_back(
            {tanh(bridge_[l](states.last.h)), bridge_cell_.empty() ? Tensor() : tanh(bridge_cell_[l](states.last.c))});
    return out;
}

RnnDecoderPlace RnnSeq2Seq::begin(const EncodedSource& source) const {
    RnnDecoderPlace place{source.start, {}, {}, 0};
    if (options_.input_feeding)
        place.feed = Tensor::zeros({source.start.front().h.dim(0), options_.hidden});
    return place;
}

// Bahdanau: o = tanh(W [s; c; y] + b); Luong: h~ = tanh(W [s; c] + b) (eq. 5)
Tensor RnnSeq2Seq::read_out(const Tensor& state, const Tensor& attended, const Tensor& embedded) const {
    const trace::Scope here(readout_.path.c_str());
    Array<Tensor> parts = {state};
    if (context_ > 0)
        parts.push_back(attended);
    if (!luong())
        parts.push_back(embedded);
    return tanh(readout_(parts.size() == 1 ? state : concat(std::span<const Tensor>(parts), -1)));
}

// Bahdanau 2015, A.2.2:  c_i = attend(s_{i-1}),  s_i = f(s_{i-1}, y_{i-1}, c_i)
//     f is the cell of the first layer. Its gates are sums of three products: U s_{i-1} of the
//     state, inside of RecurrentLayer::step; E y_{i-1} of the input symbol, `projected` [B, G H],
//     made for all steps at once; and C c_i of the context, made here by project_part. Further
//     layers read the state of the one below.
// Luong 2015, 3:  s_i = f(s_{i-1}, y_{i-1}),  c_i = attend(s_i),  h~_i = tanh(W [s_i; c_i])  (eq. 5)
//     With input feeding h~_{i-1} goes into f in the place of the context (3.3).
RnnSeq2Seq::StepOutput RnnSeq2Seq::step(const Tensor& projected, const EncodedSource& source, RnnDecoderPlace& place,
                                        const Pass& pass) const {
    const trace::Scope here("decoder");
    const int64_t rows = projected.dim(0), e = options_.embedding, h = options_.hidden;
    // Several samples of an example are queries of the same keys; their rows follow each other.
    const int64_t sources = source.memory.values.dim(0), samples = rows / sources;
    StepOutput out;
    const auto attend_from = [&](const Tensor& s) {
        Pass of_sources = pass;
        of_sources.first_row /= samples;
        Attended a = (*attention_)(s.reshape({sources, samples, h}), source.memory, place.step, place.previous, of_sources);
        place.previous = std::move(a.next);
        out.seen = std::move(a.seen);
        out.penalty = std::move(a.penalty);
        return a.context.reshape({rows, a.context.dim(2)});
    };
    Tensor projection = projected;
    if (!luong() && context_ > 0) {
        out.context = attend_from(place.layers.back().h);
        projection = decoder_[0].project_part(out.context, e, e + context_, projected);
    } else if (options_.input_feeding) {
        projection = decoder_[0].project_part(place.feed, e, e + h, projected);
    }
    for (std::size_t l = 0; l < decoder_.size(); ++l) {
        if (l > 0)
            projection = decoder_[l].project(between_[l](place.layers[l - 1].h, pass, static_cast<uint32_t>(place.step)));
        place.layers[l] = decoder_[l].step(projection, place.layers[l]);
    }
    out.state = place.layers.back().h;
    if (luong()) {
        if (context_ > 0)
            out.context = attend_from(out.state);
        out.readout = readout_dropout_(read_out(out.state, out.context, {}), pass, static_cast<uint32_t>(place.step));
        place.feed = options_.input_feeding ? out.readout : Tensor();
    }
    ++place.step;
    return out;
}

Output RnnSeq2Seq::steps(const Ids& input, const EncodedSource& source, const Pass& pass) const {
    const trace::Scope here("decoder");
    const bool drops = options_.dropout > 0 && pass.training();
    const Tensor embedded =  // [T, B, E]
        drops ? transpose(target_dropout_(target_embedding_(input.values, {input.rows, input.columns}), pass), 0, 1)
              : target_embedding_(transposed(input.values, input.columns), {input.columns, input.rows});
    const Tensor projected = decoder_[0].project_part(embedded, 0, options_.embedding, {});
    RnnDecoderPlace place = begin(source);
    Array<Tensor> outputs, contexts, penalties;
    Sightings seen;
    for (int64_t t = 0; t < input.columns; ++t) {
        StepOutput out = step(projected.row(t), source, place, pass);
        if (out.penalty.defined())
            penalties.push_back(out.penalty);
        outputs.push_back(luong() ? out.readout : out.state);
        contexts.push_back(out.context);
        append(seen, std::move(out.seen));
    }
    return {features_of(outputs, contexts, embedded, pass), std::move(seen), side_by_side(penalties)};
}

// [T, B, F] from what the steps gave: the readout itself, or the states to read out at once.
Tensor RnnSeq2Seq::features_of(const Array<Tensor>& outputs, const Array<Tensor>& contexts, const Tensor& embedded,
                               const Context& context) const {
    if (luong())
        return stack(outputs, 0);
    const Tensor o = read_out(stack(outputs, 0), context_ > 0 ? stack(contexts, 0) : Tensor(), embedded);
    if (options_.dropout == 0 || !context.training())
        return o;
    return transpose(readout_dropout_(transpose(o, 0, 1), context), 0, 1);
}

// Inputs of step t + 1: y_t with probability 1 - p, else the model's own symbol. Two draws a row:
// whether, and which.
Array<int32_t> RnnSeq2Seq::next_inputs(const Ids& input, int64_t t, const Tensor& logits, const LossOptions& own,
                                       const Context& context) const {
    const Draws draws = context.draws(own_inputs_, static_cast<uint32_t>(t));
    const int64_t classes = logits.dim(1);
    Array<int32_t> ids(static_cast<std::size_t>(input.rows));
    for (int64_t b = 0; b < input.rows; ++b) {
        const auto bits = philox(draws.counter(b, 0), draws.key);
        int32_t& id = ids[static_cast<std::size_t>(b)];
        id = input.at(b, t + 1);
        if (t + 1 >= input.length(b) || static_cast<double>(unit_interval(bits[0])) >= own.own_inputs)
            continue;
        const std::span<const real> row(logits.data() + b * classes, static_cast<std::size_t>(classes));
        const auto best = std::max_element(row.begin(), row.end());
        id = static_cast<int32_t>(best - row.begin());
        if (own.own == LossOptions::Own::likeliest)
            continue;
        // The first class whose cumulated share of sum e^(x - max) exceeds the draw.
        double total = 0;
        for (const real x : row) total += std::exp(static_cast<double>(x - *best));
        double left = static_cast<double>(unit_interval(bits[1])) * total;
        for (std::size_t c = 0; c < row.size(); ++c)
            if ((left -= std::exp(static_cast<double>(row[c] - *best))) < 0) {
                id = static_cast<int32_t>(c);
                break;
            }
    }
    return ids;
}

Output RnnSeq2Seq::steps_with_own(const Ids& input, const EncodedSource& source, const LossOptions& own,
                                  const Context& context) const {
    const trace::Scope here("decoder");
    const int64_t rows = input.rows;
    Array<int32_t> ids(static_cast<std::size_t>(rows));
    for (int64_t b = 0; b < rows; ++b) ids[static_cast<std::size_t>(b)] = input.at(b, 0);
    RnnDecoderPlace place = begin(source);
    Array<Tensor> outputs, contexts, embedded, penalties;
    for (int64_t t = 0; t < input.columns; ++t) {
        const Tensor x = target_dropout_(target_embedding_(ids, {rows}), context, static_cast<uint32_t>(t));
        StepOutput out = step(decoder_[0].project_part(x, 0, options_.embedding, {}), source, place, context);
        outputs.push_back(luong() ? out.readout : out.state);
        contexts.push_back(out.context);
        embedded.push_back(x);
        if (out.penalty.defined())
            penalties.push_back(out.penalty);
        if (t + 1 < input.columns) {
            const NoGrad off;
            const Tensor logits = head_(luong() ? out.readout : read_out(out.state, out.context, x));
            ids = next_inputs(input, t, logits, own, context);
        }
    }
    return {features_of(outputs, contexts, stack(embedded, 0), context), {}, side_by_side(penalties)};
}

// Without input feeding nothing of the attention goes into the cells: they run first, then all
// queries attend at once.
Tensor RnnSeq2Seq::states_of(const Ids& input, const EncodedSource& source, const Context& context) const {
    Tensor x = target_dropout_(target_embedding_(input.values, {input.rows, input.columns}), context);
    for (std::size_t l = 0; l < decoder_.size(); ++l) {
        if (l > 0)
            x = between_[l](x, context);
        x = decoder_[l](x, source.start[l], input.lengths, Direction::forward).outputs;
    }
    return x;
}

Output RnnSeq2Seq::all_at_once(const Ids& input, const EncodedSource& source, const Pass& pass) const {
    const trace::Scope here("decoder");
    Tensor x = states_of(input, source, pass);
    if (pass.samples > 1) {  // [B, K T, H], sample by sample
        const std::vector<Tensor> copies(static_cast<std::size_t>(pass.samples), x);
        x = concat(std::span<const Tensor>(copies), 1);
    }
    Attended a = context_ > 0 ? (*attention_)(x, source.memory, 0, {}, pass) : Attended{};
    return {readout_dropped(read_out(x, a.context, {}), pass.samples, pass), std::move(a.seen)};
}

// x [B, K T, F]: a draw is that of (sample, row, element of [T, F]), so that it does not depend on how
// wide the batch is.
Tensor RnnSeq2Seq::readout_dropped(const Tensor& x, int64_t samples, const Context& context) const {
    if (samples <= 1 || options_.dropout == 0 || !context.training())
        return readout_dropout_(x, context);
    const int64_t t = x.dim(1) / samples;
    Array<Tensor> parts;
    Context of_sample = context;
    for (int64_t k = 0; k < samples; ++k, ++of_sample.sample)
        parts.push_back(readout_dropout_(slice(x, 1, k * t, (k + 1) * t), of_sample));
    return concat(std::span<const Tensor>(parts), 1);
}

Tensor RnnSeq2Seq::penalty_of(const Tensor& penalty, const Ids& target, const LossOptions& o) const {
    return scale(sum(penalty * target_mask(target, o.ignored)), static_cast<real>(1 / o.normaliser));
}

void RnnSeq2Seq::check_batch(const ScoreInput& batch) const {
    require_plain("rnn_seq2seq", batch);
    require_fit("rnn_seq2seq", batch, batch.input.rows);
}

Scored RnnSeq2Seq::score(const ScoreInput& batch, const LossOptions& o, const Pass& pass) const {
    const auto& [source, input, target, segments, labels] = batch;
    check_batch(batch);
    if (estimator_ && pass.training())
        return score_by_estimator(*this, batch, o, pass);
    const EncodedSource encoded = encode(source, pass);
    if (sums_positions(pass))
        return score_marginal(encoded, batch, o, pass);
    const bool own = o.own_inputs > 0 && pass.training(), time_major = own || !parallel();
    Output made = own          ? steps_with_own(input, encoded, o, pass)
                  : time_major ? steps(input, encoded, pass)
                               : all_at_once(input, encoded, pass);
    const Tensor& features = made.value;
    const trace::Scope here(head_.path.c_str());
    const CrossEntropyResult r = head_cross_entropy(
        features.reshape({input.rows * input.columns, features.dim(2)}), head_.weight, Transpose::no, head_.bias,
        targets_in_order(target, o.ignored, time_major ? Order::time : Order::rows), o.cross_entropy());
    const int64_t rows = input.rows, columns = input.columns;
    const Tensor loss = made.penalty.defined() ? r.loss + penalty_of(made.penalty, target, o) : r.loss;
    Scored out{loss, time_major ? transpose(r.row_loss.reshape({columns, rows}), 0, 1) : r.row_loss.reshape({rows, columns}),
               time_major ? transposed(r.predicted, rows) : r.predicted};
    out.seen = std::move(made.seen);
    return out;
}

std::unique_ptr<DecoderState> RnnSeq2Seq::start(const Ids& source, const Pass& pass) const {
    const NoGrad off;
    auto state = std::make_unique<RnnDecoderState>();
    state->source = encode(source, pass);
    state->place = begin(state->source);
    for (int64_t r = 0; r < source.rows; ++r) state->origin.push_back(static_cast<int32_t>(r));
    return state;
}

Advanced RnnSeq2Seq::advance(DecoderState& state, std::span<const int32_t> ids, const Pass& pass) const {
    const NoGrad off;
    auto& s = own_state<RnnDecoderState>("rnn_seq2seq", state, ids);
    const Tensor embedded = target_embedding_(ids, {s.rows()});
    StepOutput out = step(decoder_[0].project_part(embedded, 0, options_.embedding, {}), s.source, s.place, pass);
    const Tensor logits = sums_positions(pass)
                              ? summed(out.state.reshape({s.rows(), 1, options_.hidden}), s.place.previous.weights, s.source)
                              : head_(luong() ? out.readout : read_out(out.state, out.context, embedded));
    return {logits, std::move(out.seen)};
}

}  // namespace attend::ATTEND_PRECISION
