#include "nn/models/transformer.h"

#include "core/base/trace.h"
#include "core/ops.h"

namespace attend::ATTEND_PRECISION {

namespace {
Tensor rows_of(const Tensor& features) { return features.reshape({features.dim(0) * features.dim(1), features.dim(2)}); }
}  // namespace

OutputHead::OutputHead(const Linear& layer) : weight_(layer.weight), bias_(layer.bias), path_(layer.path) {}

OutputHead::OutputHead(const Scope& scope, const Embedding& tied, Bias with_bias)
    : weight_(tied.weight), transposed_(Transpose::yes), path_(scope.path()) {
    if (with_bias == Bias::yes)
        bias_ = scope.add("bias", {weight_.dim(0)}, Init::zeros());
}

Tensor OutputHead::logits(const Tensor& h) const {
    const trace::Scope here(path_.c_str());
    const Tensor products = matmul(h, weight_, Transpose::no, transposed_);
    return bias_.defined() ? add(products, bias_) : products;
}

CrossEntropyResult OutputHead::cross_entropy(const Tensor& h, std::span<const int32_t> targets,
                                             const CrossEntropyOptions& o) const {
    const trace::Scope here(path_.c_str());
    return head_cross_entropy(h, weight_, transposed_, bias_, targets, o);
}

RowLosses OutputHead::row_losses(const Tensor& h, std::span<const int32_t> targets, const CrossEntropyOptions& o) const {
    const trace::Scope here(path_.c_str());
    return head_row_losses(h, weight_, transposed_, bias_, targets, o);
}

// The head at the places that have a target, alone: its products are the largest of a model with many symbols.
Scored OutputHead::score_places(Output features, const Ids& target, const TargetPlaces& at, const LossOptions& o) const {
    const Tensor rows = embedding(rows_of(features.value), at.places, {static_cast<int64_t>(at.places.size())});
    const CrossEntropyResult r = cross_entropy(rows, at.ids, o.cross_entropy());
    Scored out{r.loss, Tensor::zeros({target.rows, target.columns}), Array<int32_t>(target.values.size(), o.ignored)};
    for (std::size_t i = 0; i < at.places.size(); ++i) {
        out.target_loss.writable()[at.places[i]] = r.row_loss.data()[i];
        out.predicted[static_cast<std::size_t>(at.places[i])] = r.predicted[i];
    }
    out.seen = std::move(features.seen);
    return out;
}

Scored OutputHead::score(Output features, const Ids& target, const LossOptions& o) const {
    // Where most positions have one, picking their rows would cost more than it saves.
    if (const TargetPlaces at = target_places(target, o.ignored);
        !at.places.empty() && 2 * at.places.size() < target.values.size())
        return score_places(std::move(features), target, at, o);
    const Array<int32_t> targets = targets_in_order(target, o.ignored, Order::rows);
    CrossEntropyResult r = cross_entropy(rows_of(features.value), targets, o.cross_entropy());
    Scored out{r.loss, r.row_loss.reshape({target.rows, target.columns}), std::move(r.predicted)};
    out.seen = std::move(features.seen);
    return out;
}

RowPass OutputHead::pass(Output features, const Ids& target, const LossOptions& o) const {
    RowLosses r = row_losses(rows_of(features.value), targets_in_order(target, o.ignored, Order::rows), o.cross_entropy());
    return {r.loss.reshape({target.rows, target.columns}), std::move(r.predicted), std::move(features.seen)};
}

TransformerModel::TransformerModel(const char* name, const BlockOptions& blocks, int64_t vocabulary)
    : name_(name), vocabulary_(vocabulary), head_size_(blocks.width / blocks.heads), recompute_(blocks.recompute) {}

void TransformerModel::add_sites(const Scope& scope, std::initializer_list<const BlockStack*> stacks) {
    for (const BlockStack* stack : stacks) {
        for (Site& site : stack->sites()) sites_.push_back(std::move(site));
        for (const HardChoice* hard : stack->hard()) hard_.push_back(hard);
    }
    estimator_ = estimator_of_sites(name_, hard_, scope.in(estimator_scope), estimator_setup(), recompute_);
}

void TransformerModel::require_estimator(const Estimator& estimator) const {
    require(hard() != nullptr, "model {}: none of its attention chooses a position, as select 'hard' does", name_);
    require_for_many_sites(name_, estimator);
}

void TransformerModel::require_batch(const ScoreInput& batch, const LossOptions& o, int64_t sources) const {
    require_fit(name_, batch, sources);
    require(o.own_inputs == 0, "objective: scheduled sampling is for models that read step by step: model {}, share {}", name_,
            o.own_inputs);
}

}  // namespace attend::ATTEND_PRECISION
