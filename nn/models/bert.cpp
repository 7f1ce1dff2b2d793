#include "nn/models/bert.h"

#include "core/ops.h"
#include "core/base/trace.h"
#include "nn/models/row_order.h"
#include "nn/models/row_plays.h"
#include "nn/models/transformer_layout.h"

namespace attend::ATTEND_PRECISION {

namespace {

// The published head has the activation of the blocks; a gated one is none of a single layer.
Tensor head_activation(const std::string& name, const Tensor& x) {
    return name == "relu" ? relu(x) : name == "gelu_tanh" ? gelu_tanh(x) : gelu(x);
}

}  // namespace

Bert::Bert(const BertOptions& o, const Scope& scope, const ModelSetup& setup)
    : options_(o), vocabulary_(setup.target_vocabulary), targets_(setup.targets), classes_(setup.classes) {
    require(setup.source_vocabulary == 0,
            "model bert: it reads one text, so it needs a task without a source, as 'masked_text' or 'classification': source "
            "vocabulary {}, target vocabulary {}",
            setup.source_vocabulary, setup.target_vocabulary);
    require(setup.targets != TargetKind::following,
            "model bert: it sees all of its input, and with it the targets of this task: targets '{}', needed '{}' or '{}'; "
            "tasks 'masked_text' and 'classification' have such, model 'gpt' is for what follows",
            target_kind_name(setup.targets), target_kind_name(TargetKind::masked), target_kind_name(TargetKind::none));
    require(setup.segments <= o.segments,
            "model bert: rows of this task have more texts than the model tells apart: texts {}, model.segments {}; set "
            "model.segments to {}",
            setup.segments, o.segments, setup.segments);
    require(predicts_targets() || classes_ > 0, "model bert: a task with nothing to predict: targets '{}', classes {}",
            target_kind_name(setup.targets), classes_);
    const BlockOptions& b = o.blocks;
    const Init init = Init::normal(o.init);
    const Scope embedding = scope.in("embedding");
    word_ = Embedding(embedding.in("word"), vocabulary_, b.width, o.init);
    if (o.positions == "learned") {
        position_path_ = embedding.in("position").path();
        position_ = embedding.in("position").add("weight", {o.context, b.width}, init);
    } else if (o.positions == "sinusoidal") {
        position_ = sinusoidal_positions(o.context, b.width);
    }
    if (o.segments > 0)
        segment_ = Embedding(embedding.in("segment"), o.segments, b.width, o.init);
    norm_ = Norm(embedding.in("norm"), b);
    dropout_ = Dropout(embedding.in("dropout"), b.dropout);
    encoder_ = BlockStack(scope.in("encoder"), b, o.attention, {}, {{o.init}, {o.init}}, o.positions == "rotary");
    estimator_ = estimator_of_sites("bert", encoder_.hard(), scope.in("estimator"), estimator_setup(), b.recompute);
    if (predicts_targets()) {
        const Scope masked = scope.in("masked");
        masked_path_ = masked.path();
        dense_ = Linear(masked.in("dense"), b.width, b.width, b.with_bias(), init);
        dense_norm_ = Norm(masked.in("norm"), b);
        if (b.bias)
            masked_bias_ = masked.add("bias", {vocabulary_}, Init::zeros());
    }
    if (classes_ > 0) {
        pooler_ = Linear(scope.in("pooler"), b.width, b.width, b.with_bias(), init);
        const Scope head = scope.in(predicts_targets() ? "relation" : "classifier");
        label_dropout_ = Dropout(head.in("dropout"), predicts_targets() ? 0 : b.dropout);
        label_head_ = Linear(head, b.width, classes_, b.with_bias(), init);
    }
}

Tensor Bert::embed(const ScoreInput& batch, const Context& context) const {
    const Ids& input = batch.input;
    Tensor x = word_(input.values, {input.rows, input.columns});
    if (position_.defined()) {
        const trace::Scope here(position_path_.c_str());
        x = add(x, position_.rows(0, input.columns));
    }
    if (segment_.weight.defined()) {
        const trace::Scope here(segment_.path.c_str());
        x = add(x, batch.segments.rows == 0 ? segment_.weight.row(0)
                                            : segment_(batch.segments.values, {input.rows, input.columns}));
    }
    return dropout_(norm_(x), context);
}

namespace {
// Where a batch has targets, and which.
struct Places {
    Array<int32_t> places, ids;
};

Places places_of(const Ids& target, int32_t ignored) {
    Places out;
    for (int64_t r = 0; r < target.rows; ++r)
        for (int64_t t = 0; t < target.length(r); ++t)
            if (target.at(r, t) != ignored) {
                out.places.push_back(static_cast<int32_t>(r * target.columns + t));
                out.ids.push_back(target.at(r, t));
            }
    return out;
}
}  // namespace

Tensor Bert::score_targets(const Tensor& features, const ScoreInput& batch, const LossOptions& o, Scored& scores) const {
    const Ids& target = batch.target;
    const auto [places, ids] = places_of(target, o.ignored);
    require(predicts_targets() || ids.empty(), "model bert: it has no head for targets: targets {}, allowed 0", ids.size());
    if (!predicts_targets())
        return {};
    const auto count = static_cast<int64_t>(ids.size());
    const trace::Scope here(masked_path_.c_str());
    // A word in seven is a target: the rest need neither the head nor the largest product of the model.
    const Tensor rows = embedding(features.reshape({target.rows * target.columns, options_.blocks.width}), places, {count});
    const Tensor h = dense_norm_(head_activation(options_.blocks.activation, dense_(rows)));
    const CrossEntropyResult r = head_cross_entropy(h, word_.weight, Transpose::yes, masked_bias_, ids, o.cross_entropy());
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
    const Tensor pooled = label_dropout_(tanh(pooler_(step(features, 0))), context);
    const trace::Scope here(label_head_.path.c_str());
    CrossEntropyResult r =
        head_cross_entropy(pooled, label_head_.weight, Transpose::no, label_head_.bias, batch.labels, o.label_cross_entropy());
    scores.label_loss = r.row_loss;
    scores.predicted_labels = std::move(r.predicted);
    return r.loss;
}

void Bert::check_batch(const ScoreInput& batch, const LossOptions& o) const {
    const Ids &input = batch.input, &target = batch.target, &segments = batch.segments;
    require(batch.source.rows == 0 && target.rows == input.rows && target.columns == input.columns && input.rows > 0 &&
                input.columns > 0,
            "model bert: batch does not fit together: source {} rows, input {} x {}, target {} x {}", batch.source.rows,
            input.rows, input.columns, target.rows, target.columns);
    require(input.columns <= options_.context, "model bert: a row is longer than the context: columns {}, model.context {}",
            input.columns, options_.context);
    require(segments.rows == 0 || (options_.segments > 0 && segments.rows == input.rows && segments.columns == input.columns),
            "model bert: segments do not fit: segments {} x {}, input {} x {}, model.segments {}", segments.rows,
            segments.columns, input.rows, input.columns, options_.segments);
    require(o.own_inputs == 0, "objective: scheduled sampling is for models that read step by step: model bert, share {}",
            o.own_inputs);
}

// Losses of every place [B, T] and, where there are labels, of every row [B], each recorded by itself.
Bert::Losses Bert::losses(const ScoreInput& batch, const LossOptions& o, const Context& context) const {
    const int64_t rows = batch.input.rows, columns = batch.input.columns, width = options_.blocks.width;
    const Tensor features = encoder_(embed(batch, context), batch.input.lengths, {}, {}, context);
    Losses out;
    out.predicted.assign(batch.input.values.size(), o.ignored);
    if (predicts_targets()) {
        const Places at = places_of(batch.target, o.ignored);
        const auto count = static_cast<int64_t>(at.ids.size());
        const Tensor picked = embedding(features.reshape({rows * columns, width}), at.places, {count});
        const Tensor h = dense_norm_(head_activation(options_.blocks.activation, dense_(picked)));
        const RowLosses each = head_row_losses(h, word_.weight, Transpose::yes, masked_bias_, at.ids, o.cross_entropy());
        // Back to their places: those without a target take the 0 behind the last.
        Array<int32_t> from(static_cast<std::size_t>(rows * columns), static_cast<int32_t>(count));
        for (std::size_t i = 0; i < at.places.size(); ++i) {
            from[static_cast<std::size_t>(at.places[i])] = static_cast<int32_t>(i);
            out.predicted[static_cast<std::size_t>(at.places[i])] = each.predicted[i];
        }
        const Tensor table = concat({each.loss, Tensor::zeros({1})}, 0).reshape({count + 1, 1});
        out.targets = embedding(table, from, {rows, columns}).reshape({rows, columns});
    }
    if (!batch.labels.empty()) {
        const Tensor pooled = label_dropout_(tanh(pooler_(step(features, 0))), context);
        RowLosses each =
            head_row_losses(pooled, label_head_.weight, Transpose::no, label_head_.bias, batch.labels, o.label_cross_entropy());
        out.labels = each.loss;
        out.predicted_labels = std::move(each.predicted);
    }
    return out;
}

// Every choice answers for all of its row: targets, and the label, which is counted with the first column in units of a target.
Scored Bert::estimated(const Estimator& estimator, const ScoreInput& batch, const LossOptions& o,
                       const Context& context) const {
    check_batch(batch, o);
    require(hard() != nullptr, "model bert: its attention chooses no position: select is '{}'",
            options_.attention.select.name());
    require_for_many_sites("bert", estimator);
    require(batch.labels.empty() || classes_ > 0, "model bert: labels, and no head for them: labels {}, classes {}",
            batch.labels.size(), classes_);
    const int64_t b = batch.input.rows, t = batch.input.columns;
    Tensor counted = counted_targets(batch.target, o.ignored);
    for (int64_t r = 0; r < b && !batch.labels.empty(); ++r) counted.writable()[r * t] = 1;
    Scored first;  // of the first pass, which draws
    const RowPlays play(batch, counted, context, [&](int64_t samples, const Context& asked) {
        const Ids input = repeated(batch.input, samples), target = repeated(batch.target, samples),
                  segments = repeated(batch.segments, samples);
        std::vector<int32_t> labels;
        for (const int32_t label : batch.labels) labels.insert(labels.end(), static_cast<std::size_t>(samples), label);
        Losses l = losses({batch.source, input, target, segments, labels}, o, asked);
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
        return RowPass{each, std::move(l.predicted), asked.decisions->taken.size()};
    });
    Estimated e = estimator(play, o.normaliser, context);
    first.loss = e.loss;
    first.predicted = std::move(e.predicted);
    return first;
}

Estimated Bert::estimate(const Estimator& estimator, const ScoreInput& batch, const LossOptions& o,
                         const Context& context) const {
    Scored s = estimated(estimator, batch, o, context);
    return {s.loss, s.target_loss, std::move(s.predicted)};
}

Scored Bert::score(const ScoreInput& batch, const LossOptions& o, const Context& context) const {
    const Ids& input = batch.input;
    if (estimator_ && context.training())
        return estimated(estimator_at(*this, context), batch, o, context);
    check_batch(batch, o);
    const Tensor features = encoder_(embed(batch, context), input.lengths, {}, {}, context);
    Scored scores;
    scores.target_loss = Tensor::zeros({input.rows, input.columns});
    scores.predicted.assign(input.values.size(), o.ignored);
    const Tensor of_targets = score_targets(features, batch, o, scores);
    const Tensor of_labels = score_labels(features, batch, o, context, scores);
    require(of_targets.defined() || of_labels.defined(), "model bert: nothing to score: targets 0, labels {}, classes {}",
            batch.labels.size(), classes_);
    scores.loss = !of_labels.defined() ? of_targets : !of_targets.defined() ? of_labels : add(of_targets, of_labels);
    return scores;
}

std::unique_ptr<DecoderState> Bert::start(const Ids& source, const Context&) const {
    fail("model bert: an encoder writes nothing: rows to begin with {}, models that write: those with a decoder", source.rows);
}

Tensor Bert::advance(DecoderState& state, std::span<const int32_t> ids, const Context&) const {
    fail("model bert: an encoder writes nothing: rows {}, ids {}", state.rows(), ids.size());
}

PublishedLayout Bert::published_layout() const {
    const BlockOptions& b = options_.blocks;
    const LayoutForm form{"bert", "BERT", "post", "global"};
    require_form(form, b, options_.attention, options_.positions);
    require(options_.segments > 0, "model bert: the layout of BERT has no place for this model: model.segments {}, there {}", 0,
            "1 or more");
    PublishedLayout l;
    l.model_type = "bert";
    l.family = "Bert";
    l.prefix = "bert.";
    l.telling = "bert.embeddings.word_embeddings.weight";  // without the prefix RoBERTa's is the same
    l.architecture = !predicts_targets() ? "BertForSequenceClassification"
                     : classes_ > 0      ? "BertForPreTraining"
                                         : "BertForMaskedLM";
    // A head that this model has not is another's of its kind.
    const auto head = [&](bool here) { return here ? &l.tensors : &l.elsewhere; };
    const auto norm = [](std::vector<PublishedTensor>* to, const std::string& theirs, const std::string& ours) {
        for (const char* part : {".weight", ".bias"}) to->push_back({theirs + part, ours + part});
    };
    const auto linear = [](std::vector<PublishedTensor>* to, const std::string& theirs, const std::string& ours,
                           int64_t first = 0, int64_t columns = 0) {
        to->push_back({theirs + ".weight", ours + ".weight", Transpose::yes, first, columns});
        to->push_back({theirs + ".bias", ours + ".bias", Transpose::no, first, columns});
    };
    const std::string words = "bert.embeddings.word_embeddings.weight";
    l.tensors.push_back({words, "embedding.word.weight", Transpose::no, 0, 0, PublishedRows::ids});
    l.tensors.push_back({"bert.embeddings.position_embeddings.weight", "embedding.position.weight"});
    l.tensors.push_back({"bert.embeddings.token_type_embeddings.weight", "embedding.segment.weight"});
    norm(&l.tensors, "bert.embeddings.LayerNorm", "embedding.norm");
    for (int64_t i = 0; i < b.layers; ++i) {
        const std::string t = fmt::format("bert.encoder.layer.{}.", i), e = fmt::format("encoder.{}.", i);
        int64_t first = 0;
        for (const char* part : {"query", "key", "value"}) {
            linear(&l.tensors, t + "attention.self." + part, e + "self.qkv", first, b.width);
            first += b.width;
        }
        linear(&l.tensors, t + "attention.output.dense", e + "self.out");
        norm(&l.tensors, t + "attention.output.LayerNorm", e + "self_norm");
        linear(&l.tensors, t + "intermediate.dense", e + "ffn.up");
        linear(&l.tensors, t + "output.dense", e + "ffn.down");
        norm(&l.tensors, t + "output.LayerNorm", e + "ffn_norm");
    }
    linear(head(classes_ > 0), "bert.pooler.dense", "pooler");
    linear(head(predicts_targets()), "cls.predictions.transform.dense", "masked.dense");
    norm(head(predicts_targets()), "cls.predictions.transform.LayerNorm", "masked.norm");
    head(predicts_targets())->push_back({"cls.predictions.bias", "masked.bias", Transpose::no, 0, 0, PublishedRows::ids});
    l.copies = {{"cls.predictions.decoder.weight", words, "masked.bias"},
                {"cls.predictions.decoder.bias", "cls.predictions.bias", "masked.bias"}};
    linear(head(predicts_targets() && classes_ > 0), "cls.seq_relationship", "relation");
    linear(head(!predicts_targets()), "classifier", "classifier");
    l.passed_over = {"embeddings.position_ids"};
    l.older = {{"LayerNorm.weight", "LayerNorm.gamma"}, {"LayerNorm.bias", "LayerNorm.beta"}};
    l.decisive = {{"vocab_size", vocabulary_},
                  {"hidden_size", b.width},
                  {"num_hidden_layers", b.layers},
                  {"num_attention_heads", b.heads},
                  {"intermediate_size", b.ffn_width()},
                  {"hidden_act", published_activation(b.activation)},
                  {"max_position_embeddings", options_.context},
                  {"type_vocab_size", options_.segments},
                  {"layer_norm_eps", b.norm_epsilon}};
    l.unsaid = {{"num_attention_heads", int64_t{12}}, {"hidden_act", std::string("gelu")}, {"layer_norm_eps", 1e-12}};
    l.only = {{"position_embedding_type", std::string("absolute")},
              {"is_decoder", false},
              {"add_cross_attention", false},
              {"tie_word_embeddings", true}};
    l.further = {{"position_embedding_type", std::string("absolute")},
                 {"hidden_dropout_prob", b.dropout},
                 {"attention_probs_dropout_prob", b.dropout},
                 {"initializer_range", options_.init},
                 {"tie_word_embeddings", true}};
    if (!predicts_targets())
        l.further.push_back({"num_labels", classes_});
    return l;
}

}  // namespace attend::ATTEND_PRECISION
