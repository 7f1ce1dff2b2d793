// The recurrent encoder-decoder where its attention chooses one position: passes for estimators,
// and evaluation that sums over positions.
#include "core/base/trace.h"
#include "core/engine.h"
#include "core/ops.h"
#include "nn/attention/gumbel.h"
#include "nn/models/rnn_seq2seq.h"
#include "nn/models/row_rollouts.h"

namespace attend::ATTEND_PRECISION {

Rollout RnnSeq2Seq::rollout(const EncodedSource& source, const ScoreInput& batch, const LossOptions& o, const Context& context,
                            const Choosing& way, int64_t k) const {
    Pass pass(context, Keep::choices);
    pass.choosing = &way;
    pass.samples = k;
    const int64_t b = batch.input.rows, t = batch.input.columns;
    const Ids targets = repeated(batch.target, k);
    Output made;
    if (parallel()) {
        made = all_at_once(batch.input, source, pass);
    } else {
        EncodedSource many = source;
        for (CellState& s : many.start) s = {repeated(s.h, k), repeated(s.c, k)};
        pass.first_row *= k;
        made = steps(repeated(batch.input, k), many, pass);
    }
    const trace::Scope here(head_.path.c_str());
    RowLosses each =
        head_row_losses(made.value.reshape({b * k * t, made.value.dim(2)}), head_.weight, Transpose::no, head_.bias,
                        targets_in_order(targets, o.ignored, parallel() ? Order::rows : Order::time), o.cross_entropy());
    if (!parallel()) {
        each.loss = transpose(each.loss.reshape({t, b * k}), 0, 1);
        each.predicted = transposed(each.predicted, b * k);
    }
    return rollout_of(each.loss.reshape({b, k, t}), std::move(each.predicted), std::move(made.seen), sites_);
}

// The positions of a support that have a loss, one after the other: which state and which value
// each reads, and its element of [B, N, T].
struct PairsOfPositions {
    Array<int32_t> states, values, places, targets;
    Shape shape;  // [B, N, T]
};

namespace {
PairsOfPositions pairs_of(const Support& support, const Ids& target, int32_t ignored, int64_t sources) {
    const int64_t b = target.rows, t = target.columns, n = support.count;
    PairsOfPositions out;
    out.shape = {b, n, t};
    for (int64_t r = 0; r < b; ++r)
        for (int64_t k = 0; k < n; ++k)
            for (int64_t i = 0; i < target.length(r); ++i) {
                const int64_t place = (r * n + k) * t + i;
                const int32_t position = support.index[static_cast<std::size_t>(place)];
                if (position < 0 || target.at(r, i) == ignored)
                    continue;
                out.states.push_back(static_cast<int32_t>(r * t + i));
                out.values.push_back(static_cast<int32_t>(r * sources + position));
                out.places.push_back(static_cast<int32_t>(place));
                out.targets.push_back(target.at(r, i));
            }
    return out;
}

// Values of the pairs [R] at their places in [B, N, T], 0 elsewhere.
Tensor spread(const Tensor& x, const PairsOfPositions& pairs) {
    Array<int32_t> numbers(static_cast<std::size_t>(pairs.shape.size()), -1);
    for (std::size_t i = 0; i < pairs.places.size(); ++i)
        numbers[static_cast<std::size_t>(pairs.places[i])] = static_cast<int32_t>(i);
    return elements(x, numbers, pairs.shape);
}
}  // namespace

// Luong 2015, eq. 5, by parts: h~ = tanh((W_s s + b) + W_c v), with W_s s for B T states and W_c v
// for B S values; only the tanh sees all pairs.
Tensor RnnSeq2Seq::pairs_read_out(const Tensor& states, const Tensor& values, const PairsOfPositions& pairs,
                                  const Context& context) const {
    const int64_t h = options_.hidden, d = values.dim(2), f = readout_.weight.dim(1);
    Tensor features;
    {
        const trace::Scope here(readout_.path.c_str());
        const Tensor of_states =
            linear(states.reshape({states.dim(0) * states.dim(1), h}), readout_.weight.rows(0, h), readout_.bias);
        const Tensor of_values =
            linear(values.reshape({values.dim(0) * values.dim(1), d}), readout_.weight.rows(h, h + d), Tensor());
        features = tanh_of_pairs(of_states, pairs.states, of_values, pairs.values);
    }
    if (options_.dropout == 0 || !context.training())
        return features;
    // The mask that a pass with N samples has.
    const Shape& s = pairs.shape;
    const Tensor keep = readout_dropped(Tensor::full({s[0], s[1] * s[2], f}, 1), s[1], context);
    return features * embedding(keep.reshape({s.size(), f}), pairs.places, {static_cast<int64_t>(pairs.places.size())});
}

ByPosition RnnSeq2Seq::by_position(const EncodedSource& source, const ScoreInput& batch, const LossOptions& o,
                                   const Context& context, const SupportOf& support_of) const {
    const trace::Scope decoder("decoder");
    const Tensor states = states_of(batch.input, source, context),
                 weights = attention_->weigh(states, source.memory, 0, context);
    const Support support = support_of(weights);
    const PairsOfPositions pairs = pairs_of(support, batch.target, o.ignored, weights.dim(2));
    const Tensor features = pairs_read_out(states, source.memory.values, pairs, context);
    const trace::Scope here(head_.path.c_str());
    const RowLosses each = head_row_losses(features, head_.weight, Transpose::no, head_.bias, pairs.targets, o.cross_entropy());
    ByPosition out{at_support(weights, support), spread(each.loss, pairs), {}};
    out.predicted.assign(static_cast<std::size_t>(pairs.shape.size()), o.ignored);
    for (std::size_t i = 0; i < pairs.places.size(); ++i)
        out.predicted[static_cast<std::size_t>(pairs.places[i])] = each.predicted[i];
    return out;
}

void RnnSeq2Seq::check_fits(const Estimator& estimator) const {
    require(!estimator.needs_independence() || parallel(),
            "model rnn_seq2seq: this estimator takes the positions of each step by themselves, and here what a step reads "
            "affects later "
            "steps: form '{}', input_feeding {}; it is for form 'luong' without input_feeding",
            options_.form, options_.input_feeding);
}

Estimated RnnSeq2Seq::estimate(const Estimator& estimator, const ScoreInput& batch, const LossOptions& o,
                               const Context& context) const {
    check_batch(batch);
    check_fits(estimator);
    require(estimator_ != nullptr,
            "model rnn_seq2seq: its attention chooses no position, as select 'hard' of attention 'weighted' does: "
            "attention '{}'",
            options_.attention.name());
    const EncodedSource encoded = encode(batch.source, context);
    RolloutParts parts{
        .run = [&](const Choosing& way, int64_t samples) { return rollout(encoded, batch, o, context, way, samples); },
        .positions = encoded.memory.values.dim(1)};
    if (parallel())
        parts.by_position = [&](const SupportOf& support) { return by_position(encoded, batch, o, context, support); };
    return estimator(BatchRollouts(batch, target_mask(batch.target, o.ignored), sites_, std::move(parts)), o.normaliser,
                     context);
}

void RnnSeq2Seq::check_evaluation(const HardChoice& hard) const {
    require(hard.evaluate != HardChoice::Evaluate::marginal || parallel(),
            "model rnn_seq2seq: evaluate 'marginal' sums over the positions of each step, and here what a step reads affects "
            "later steps: form '{}', input_feeding {}; it is for form 'luong' without input_feeding",
            options_.form, options_.input_feeding);
}

bool RnnSeq2Seq::sums_positions(const Pass& pass) const {
    const HardChoice* hard = attention_->hard();
    return hard != nullptr && hard->evaluate == HardChoice::Evaluate::marginal && !pass.training() && pass.choosing == nullptr;
}

// log p(y) = log sum_s a_s p(y | value_s) of states [B, T, H] and weights [B, T, S]: [B T, V]. One
// position at a time, so that memory does not grow with S.
Tensor RnnSeq2Seq::summed(const Tensor& states, const Tensor& weights, const EncodedSource& source) const {
    const NoGrad off;
    const int64_t b = states.dim(0), t = states.dim(1), positions = weights.dim(2);
    Tensor total;
    for (int64_t s = 0; s < positions; ++s) {
        const Tensor value = repeated(slice(source.memory.values, 1, s, s + 1), t).reshape({b, t, source.memory.values.dim(2)});
        const Tensor p = softmax(head_(read_out(states, value, {}))).reshape({b * t, head_.weight.dim(1)});
        const Tensor part = p * slice(weights, -1, s, s + 1).reshape({b * t, 1});
        total = total.defined() ? total + part : part;
    }
    return log(shift(total, tiny_weight));
}

Scored RnnSeq2Seq::score_marginal(const EncodedSource& source, const ScoreInput& batch, const LossOptions& o,
                                  const Pass& pass) const {
    const NoGrad off;
    const Tensor states = states_of(batch.input, source, pass);
    Attended a = (*attention_)(states, source.memory, 0, {}, pass);
    const CrossEntropyResult r = cross_entropy(summed(states, a.next.weights, source),
                                               targets_in_order(batch.target, o.ignored, Order::rows), o.cross_entropy());
    Scored out{r.loss, r.row_loss.reshape({batch.input.rows, batch.input.columns}), r.predicted};
    out.seen = std::move(a.seen);
    return out;
}

}  // namespace attend::ATTEND_PRECISION
