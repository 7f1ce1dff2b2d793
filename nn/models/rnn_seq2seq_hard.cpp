// The recurrent encoder-decoder where its attention chooses one position: passes for estimators,
// and evaluation that sums over positions.
#include "core/base/trace.h"
#include "core/engine.h"
#include "core/ops.h"
#include "nn/estimators/gumbel.h"
#include "nn/models/rnn_seq2seq.h"
#include "nn/models/row_plays.h"

namespace attend::ATTEND_PRECISION {

Played RnnSeq2Seq::play(const EncodedSource& source, const ScoreInput& batch, const LossOptions& o, const Context& context,
                        const Rule& rule) const {
    Decisions decisions{rule.how, rule.samples, {}, rule.forced, rule.temperature, rule.proposal};
    Context asked = context;
    asked.decisions = &decisions;
    const int64_t b = batch.input.rows, t = batch.input.columns, k = rule.samples;
    const Ids targets = repeated(batch.target, k);
    Tensor features;
    if (parallel()) {
        features = all_at_once(batch.input, source, asked);
    } else {
        EncodedSource many = source;
        for (CellState& s : many.start) s = {repeated(s.h, k), repeated(s.c, k)};
        asked.first_row *= k;
        features = steps(repeated(batch.input, k), many, asked);
    }
    const trace::Scope here(head_.path.c_str());
    RowLosses each =
        head_row_losses(features.reshape({b * k * t, features.dim(2)}), head_.weight, Transpose::no, head_.bias,
                        targets_in_order(targets, o.ignored, parallel() ? Order::rows : Order::time), o.cross_entropy());
    Played out{each.loss, std::move(each.predicted), std::move(decisions.taken), {}};
    if (!parallel()) {
        out.loss = transpose(out.loss.reshape({t, b * k}), 0, 1);
        out.predicted = transposed(out.predicted, b * k);
    }
    out.loss = out.loss.reshape({b, k, t});
    return out;
}

void RnnSeq2Seq::check_fits(const Estimator& estimator) const {
    require(!estimator.needs_independence() || parallel(),
            "model rnn_seq2seq: this estimator sums over the positions of each step, and here what a step reads affects later "
            "steps: form '{}', input_feeding {}; it is for form 'luong' without input_feeding",
            options_.form, options_.input_feeding);
}

Estimated RnnSeq2Seq::estimate(const Estimator& estimator, const ScoreInput& batch, const LossOptions& o,
                               const Context& context) const {
    check_batch(batch);
    check_fits(estimator);
    require(estimator_ != nullptr, "model rnn_seq2seq: its attention chooses no position: select is '{}'",
            options_.attention.select.name());
    const EncodedSource encoded = encode(batch.source, context);
    const BatchPlay passes(
        batch, counted_targets(batch.target, o.ignored),
        [&](const Rule& rule) { return play(encoded, batch, o, context, rule); }, encoded.memory.values.dim(1),
        parallel() ? Steps::independent : Steps::dependent);
    return estimator(passes, o.normaliser, context);
}

void RnnSeq2Seq::check_evaluation(const HardChoice& hard) const {
    require(hard.evaluate != HardChoice::Evaluate::marginal || parallel(),
            "model rnn_seq2seq: evaluate 'marginal' sums over the positions of each step, and here what a step reads affects "
            "later steps: form '{}', input_feeding {}; it is for form 'luong' without input_feeding",
            options_.form, options_.input_feeding);
}

bool RnnSeq2Seq::sums_positions(const Context& context) const {
    const HardChoice* hard = attention_.select->hard();
    if (hard == nullptr || hard->evaluate != HardChoice::Evaluate::marginal || context.training())
        return false;
    return context.decisions == nullptr || (context.decisions->how == Choose::own && context.decisions->forced.empty());
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
                                  const Context& context) const {
    const NoGrad off;
    const Tensor states = states_of(batch.input, source, context);
    const Attended a = attention_(states, source.memory, 0, {}, context);
    const CrossEntropyResult r = cross_entropy(summed(states, a.weights, source),
                                               targets_in_order(batch.target, o.ignored, Order::rows), o.cross_entropy());
    return {r.loss, r.row_loss.reshape({batch.input.rows, batch.input.columns}), r.predicted};
}

}  // namespace attend::ATTEND_PRECISION
