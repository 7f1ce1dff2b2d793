#include "nn/models/bert.h"

#include "core/base/trace.h"
#include "core/ops.h"
#include "nn/models/row_order.h"

namespace attend::ATTEND_PRECISION {

namespace {

// The published head has the activation of the blocks; a gated one is none of a single layer.
Tensor head_activation(const std::string& name, const Tensor& x) {
    return name == "relu" ? relu(x) : name == "gelu_tanh" ? gelu_tanh(x) : gelu(x);
}

}  // namespace

Bert::Bert(const BertOptions& o, const Scope& scope, const ModelSetup& setup)
    : TransformerModel("bert", o.blocks, setup.target_vocabulary),
      options_(o),
      targets_(setup.targets),
      classes_(setup.classes) {
    require(setup.source_vocabulary == 0,
            "model bert: it reads one text, so it needs a task without a source, as 'masked_text' or 'classification': source "
            "vocabulary {}, target vocabulary {}",
            setup.source_vocabulary, setup.target_vocabulary);
    require(setup.targets != TargetKind::following,
            "model bert: it sees all of its input, and with it the targets of this task: targets '{}', needed '{}' or '{}'; "
            "tasks 'masked_text' and 'classification' have such, model 'gpt' is for what follows",
            target_kind_name(setup.targets), target_kind_name(TargetKind::masked), target_kind_name(TargetKind::none));
    require(setup.segments <= o.segments,
            "model bert: rows of this task have more texts than the model has segments: texts {}, model.segments {}; set "
            "model.segments to {}",
            setup.segments, o.segments, setup.segments);
    require(predicts_targets() || classes_ > 0, "model bert: a task with nothing to predict: targets '{}', classes {}",
            target_kind_name(setup.targets), classes_);
    const BlockOptions& b = o.blocks;
    const Init init = Init::normal(o.init);
    const Scope embedding = scope.in("embedding");
    word_ = Embedding(embedding.in("word"), vocabulary_, b.width, o.init);
    positions_ = Positions(embedding.in("position"), o.positions, {.length = o.context, .width = b.width, .deviation = o.init});
    if (o.segments > 0)
        segment_ = Embedding(embedding.in("segment"), o.segments, b.width, o.init);
    norm_ = Norm(embedding.in("norm"), b);
    dropout_ = Dropout(embedding.in("dropout"), b.dropout);
    encoder_ = BlockStack(scope.in("encoder"), b, o.attention, {}, {{o.init}, {o.init}}, positions_.rotary(),
                          {.kind = SiteKind::encoder, .affects = Affects::all});
    positions_.require_readers(encoder_.reads_distances());
    add_sites(scope, {&encoder_});
    if (predicts_targets()) {
        const Scope masked = scope.in("masked");
        masked_path_ = masked.path();
        dense_ = Linear(masked.in("dense"), b.width, b.width, b.with_bias(), init);
        dense_norm_ = Norm(masked.in("norm"), b);
        masked_head_ = OutputHead(masked, word_, b.with_bias());
    }
    if (classes_ > 0) {
        pooler_ = Linear(scope.in("pooler"), b.width, b.width, b.with_bias(), init);
        const Scope head = scope.in(predicts_targets() ? "relation" : "classifier");
        label_dropout_ = Dropout(head.in("dropout"), predicts_targets() ? 0 : b.dropout);
        label_head_ = OutputHead(Linear(head, b.width, classes_, b.with_bias(), init));
    }
}

Tensor Bert::embed(const ScoreInput& batch, const Pass& pass) const {
    const Ids& input = batch.input;
    Tensor x = positions_(word_(input.values, {input.rows, input.columns}), 0, pass);
    if (segment_.weight.defined()) {
        const trace::Scope here(segment_.path.c_str());
        x = add(x, batch.segments.rows == 0 ? segment_.weight.row(0)
                                            : segment_(batch.segments.values, {input.rows, input.columns}));
    }
    return dropout_(norm_(x), pass);
}

Output Bert::encode(const ScoreInput& batch, const Pass& pass) const {
    const Pass own = positions_.numbered(pass, batch.input.lengths, batch.input.columns);
    return encoder_(embed(batch, own), batch.input.lengths, {}, {}, own);
}

// A word in seven is a target: the rest need neither the head nor the largest product of the model.
Tensor Bert::at_places(const Tensor& features, const Array<int32_t>& places) const {
    const trace::Scope here(masked_path_.c_str());
    const Tensor rows = embedding(features.reshape({features.dim(0) * features.dim(1), options_.blocks.width}), places,
                                  {static_cast<int64_t>(places.size())});
    return dense_norm_(head_activation(options_.blocks.activation, dense_(rows)));
}

Tensor Bert::pooled(const Tensor& features, const Context& context) const {
    return label_dropout_(tanh(pooler_(step(features, 0))), context);
}

Tensor Bert::score_targets(const Tensor& features, const ScoreInput& batch, const LossOptions& o, Scored& scores) const {
    const auto [places, ids] = target_places(batch.target, o.ignored);
    require(predicts_targets() || ids.empty(), "model bert: it has no head for targets: targets {}, allowed 0", ids.size());
    if (!predicts_targets())
        return {};
    const CrossEntropyResult r = masked_head_.cross_entropy(at_places(features, places), ids, o.cross_entropy());
    for (std::size_t i = 0; i < places.size(); ++i) {
        scores.target_loss.writable()[places[i]] = r.row_loss.data()[i];
        scores.predicted[static_cast<std::size_t>(places[i])] = r.predicted[i];
    }
    return r.loss;
}

Tensor Bert::score_labels(const Tensor& features, const ScoreInput& batch, const LossOptions& o, const Context& context,
                          Scored& scores) const {
    if (batch.labels.empty())
        return {};
    require(classes_ > 0 && static_cast<int64_t>(batch.labels.size()) == batch.input.rows,
            "model bert: a label a row, of the classes it has a head for: labels {}, rows {}, classes {}", batch.labels.size(),
            batch.input.rows, classes_);
    CrossEntropyResult r = label_head_.cross_entropy(pooled(features, context), batch.labels, o.label_cross_entropy());
    scores.label_loss = r.row_loss;
    scores.predicted_labels = std::move(r.predicted);
    return r.loss;
}

void Bert::check_batch(const ScoreInput& batch, const LossOptions& o) const {
    const Ids &input = batch.input, &segments = batch.segments;
    require_batch(batch, o, 0);
    require(input.columns <= options_.context, "model bert: a row is longer than the context: columns {}, model.context {}",
            input.columns, options_.context);
    require(segments.rows == 0 || (options_.segments > 0 && segments.rows == input.rows && segments.columns == input.columns),
            "model bert: segments do not fit: segments {} x {}, input {} x {}, model.segments {}", segments.rows,
            segments.columns, input.rows, input.columns, options_.segments);
}

// Losses of every place [B, T] and, where there are labels, of every row [B], each recorded by
// itself.
Bert::Losses Bert::losses(const ScoreInput& batch, const LossOptions& o, const Pass& pass) const {
    const int64_t rows = batch.input.rows, columns = batch.input.columns;
    Output encoded = encode(batch, pass);
    const Tensor& features = encoded.value;
    Losses out;
    out.seen = std::move(encoded.seen);
    out.predicted.assign(batch.input.values.size(), o.ignored);
    if (predicts_targets()) {
        const TargetPlaces at = target_places(batch.target, o.ignored);
        const auto count = static_cast<int64_t>(at.ids.size());
        const RowLosses each = masked_head_.row_losses(at_places(features, at.places), at.ids, o.cross_entropy());
        // Back to their places: those without a target take the 0 after the last.
        Array<int32_t> from(static_cast<std::size_t>(rows * columns), static_cast<int32_t>(count));
        for (std::size_t i = 0; i < at.places.size(); ++i) {
            from[static_cast<std::size_t>(at.places[i])] = static_cast<int32_t>(i);
            out.predicted[static_cast<std::size_t>(at.places[i])] = each.predicted[i];
        }
        const Tensor table = concat({each.loss, Tensor::zeros({1})}, 0).reshape({count + 1, 1});
        out.targets = embedding(table, from, {rows, columns}).reshape({rows, columns});
    }
    if (!batch.labels.empty()) {
        RowLosses each = label_head_.row_losses(pooled(features, pass), batch.labels, o.label_cross_entropy());
        out.labels = each.loss;
        out.predicted_labels = std::move(each.predicted);
    }
    return out;
}

// Every choice is credited with all of its row: targets, and the label, which is counted with the
// first column in units of a target.
Scored Bert::estimated(const Estimator& estimator, const ScoreInput& batch, const LossOptions& o,
                       const Context& context) const {
    check_batch(batch, o);
    require_estimator(estimator);
    require(batch.labels.empty() || classes_ > 0, "model bert: labels, and no head for them: labels {}, classes {}",
            batch.labels.size(), classes_);
    const int64_t b = batch.input.rows, t = batch.input.columns;
    Tensor mask = target_mask(batch.target, o.ignored);
    for (int64_t r = 0; r < b && !batch.labels.empty(); ++r) mask.writable()[r * t] = 1;
    Scored first;  // of the first pass, which draws
    const BatchRollouts rollouts = row_rollouts(batch, mask, context, sites(), [&](int64_t samples, const Pass& pass) {
        const Ids input = repeated(batch.input, samples), target = repeated(batch.target, samples),
                  segments = repeated(batch.segments, samples);
        std::vector<int32_t> labels;
        for (const int32_t label : batch.labels) labels.insert(labels.end(), static_cast<std::size_t>(samples), label);
        Losses l = losses({batch.source, input, target, segments, labels}, o, pass);
        Tensor each = l.targets.defined() ? l.targets : Tensor::zeros({b * samples, t});
        const Tensor targets = each.detach();
        if (l.labels.defined()) {
            const Tensor scaled =
                scale(l.labels, static_cast<real>(o.normaliser / o.label_normaliser)).reshape({b * samples, 1});
            each = each + (t == 1 ? scaled : concat({scaled, Tensor::zeros({b * samples, t - 1})}, 1));
        }
        if (!first.target_loss.defined()) {
            first.target_loss = mean_of_samples(targets.reshape({b, samples, t}));
            for (int64_t r = 0; r < b && l.labels.defined(); ++r)
                first.predicted_labels.push_back(l.predicted_labels[static_cast<std::size_t>(r * samples)]);
            if (l.labels.defined())
                first.label_loss = mean_of_samples(l.labels.reshape({b, samples, 1})).reshape({b});
        }
        return RowPass{each, std::move(l.predicted), std::move(l.seen)};
    });
    Estimated e = estimator(rollouts, o.normaliser, context);
    first.loss = e.loss;
    first.predicted = std::move(e.predicted);
    first.advantages = e.advantages;
    return first;
}

Estimated Bert::estimate(const Estimator& estimator, const ScoreInput& batch, const LossOptions& o,
                         const Context& context) const {
    Scored s = estimated(estimator, batch, o, context);
    return {s.loss, s.target_loss, std::move(s.predicted)};
}

Scored Bert::score(const ScoreInput& batch, const LossOptions& o, const Pass& pass) const {
    const Ids& input = batch.input;
    if (estimator() != nullptr && pass.training())
        return estimated(estimator_at(*this, pass), batch, o, pass);
    check_batch(batch, o);
    Output encoded = encode(batch, pass);
    const Tensor& features = encoded.value;
    Scored scores;
    scores.seen = std::move(encoded.seen);
    scores.target_loss = Tensor::zeros({input.rows, input.columns});
    scores.predicted.assign(input.values.size(), o.ignored);
    const Tensor of_targets = score_targets(features, batch, o, scores);
    const Tensor of_labels = score_labels(features, batch, o, pass, scores);
    require(of_targets.defined() || of_labels.defined(), "model bert: nothing to score: no targets, labels {}, classes {}",
            batch.labels.size(), classes_);
    scores.loss = !of_labels.defined() ? of_targets : !of_targets.defined() ? of_labels : add(of_targets, of_labels);
    return scores;
}

std::unique_ptr<DecoderState> Bert::start(const Ids& source, const Pass&) const {
    fail("model bert: an encoder generates no text: rows to begin with {}", source.rows);
}

Advanced Bert::advance(DecoderState& state, std::span<const int32_t> ids, const Pass&) const {
    fail("model bert: an encoder generates no text: rows {}, ids {}", state.rows(), ids.size());
}

}  // namespace attend::ATTEND_PRECISION
