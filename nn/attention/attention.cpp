#include "nn/attention/attention.h"

#include "core/base/trace.h"
#include "core/ops.h"
#include "nn/attention/witness.h"

namespace attend::ATTEND_PRECISION {

Attention::Attention(const Scope& scope, const AttentionOptions& o, int64_t query_width, int64_t memory_width, QueryKind kind,
                     const Head& head, const Site& place)
    : site(place), factors(o), score_path(scope.in("score").path()), dropout(scope.in("dropout"), head.dropout) {
    site.path = scope.path();
    site.head = head.number;
    const std::string& path = site.path;
    const ScoreSetup setup{query_width, memory_width, o.width == 0 ? query_width : o.width, head.projected};
    score = score_table().build(o.score, scope.in("score"), setup);
    bias = bias_table().build(o.bias, scope.in("bias"), BiasSetup{query_width, head.number, head.of});
    window = window_table().build(o.window);
    align = align_table().build(o.align);
    select = select_table().build(o.select, scope.in("select"));
    require(!(kind.parallel && score->needs_previous()),
            "{}: score '{}' reads the weights of the step before, but here the queries of all steps run in parallel", path,
            o.score.name());
    require(kind.aligned_positions || !window->needs_position(),
            "{}: window '{}' compares the query's position with the source's, but query and source are different sequences; it "
            "is for "
            "self-attention",
            path, o.window.name());
    require(
        kind.aligned_positions || !bias->needs_position(),
        "{}: bias '{}' compares the query's position with the source's, but query and source are different sequences; it is "
        "for self-attention",
        path, o.bias.name());
    require((align->is_distribution() && !window->after_align()) || select->hard() == nullptr,
            "{}: select '{}' draws from the weights, but align '{}' with window '{}' does not make a distribution", path,
            o.select.name(), o.align.name(), o.window.name());
}

Attendable Attention::prepare(const Tensor& memory, std::span<const int32_t> lengths) const {
    const trace::Scope here(score_path.c_str());
    require(memory.rank() == 3 && memory.dim(0) == static_cast<int64_t>(lengths.size()),
            "{}: one length for each row: memory {}, {} lengths", site.path, memory.shape(), lengths.size());
    return {score->prepare(memory), memory, Array<int32_t>(lengths.begin(), lengths.end())};
}

std::optional<Attention::Fused> Attention::fused() const {
    const std::optional<real> product = score->product_factor(), softmax = align->softmax_factor(), slope = bias->slope();
    if (!product || !softmax || !slope || window->after_align() || !select->reads_weights())
        return {};
    if (*slope != 0 && !window->is_causal())  // the kernel's distance has a sign
        return {};
    return Fused{*product * *softmax, *slope * *softmax};
}

Call Attention::call(const Tensor& query, const Attendable& source, int64_t position, const Previous& previous) const {
    require(query.rank() == 3 && query.dim(0) == source.values.dim(0), "{}: batches differ: query {}, source {}", site.path,
            query.shape(), source.values.shape());
    return {query, source.keys, source.lengths, source.values.dim(1), position, previous, source.values, site.number};
}

// e = score(q, k) + bias, a = align(e over the window)
Attention::Weighed Attention::weighed(const Call& call) const {
    const Ranges ranges = window->ranges(call.lengths, call.queries(), call.position);
    AttentionScores scores = [&] {
        const trace::Scope in_score(score_path.c_str());
        return (*score)(call, ranges);
    }();
    const Tensor aligned = (*align)((*bias)(scores.values, call, ranges), ranges, call);
    return {window->reweigh(aligned, call), std::move(scores.state)};
}

Tensor Attention::weigh(const Tensor& query, const Attendable& source, int64_t position) const {
    const trace::Scope here(site.path.c_str());
    return weighed(call(query, source, position, {})).weights;
}

// c = sum_s select(a)_s value_s
Attended Attention::operator()(const Tensor& query, const Attendable& source, int64_t position, const Previous& previous,
                               const Pass& pass) const {
    const trace::Scope here(site.path.c_str());
    const Call now = call(query, source, position, previous);
    Weighed made = weighed(now);
    const Chosen chosen = (*select)(made.weights, now, pass);
    Sightings seen = kept(now, made.weights, chosen, pass);
    const Tensor read = dropout(chosen.read, pass, static_cast<uint32_t>(position));
    Tensor context = matmul(read, source.values);
    tell(now, context, pass);
    return {std::move(context), chosen.read, std::move(made.state), std::move(seen)};
}

void Attention::tell(const Call& call, const Tensor& context, const Pass& pass) const {
    if (pass.witness == nullptr)
        return;
    const auto again = [this](const Reading& r, const Pass& p) {
        Attended a = (*this)(r.queries, {score->prepare(r.keys), r.values, r.lengths}, r.position, r.previous, p.unwitnessed());
        return Output{std::move(a.context), std::move(a.seen)};
    };
    pass.witness->saw({.path = site.path,
                       .heads = {this},
                       .queries = call.query,
                       .keys = call.values,
                       .values = call.values,
                       .lengths = call.lengths,
                       .position = call.position,
                       .previous = call.previous,
                       .context = context,
                       .again = again});
}

Sightings Attention::kept(const Call& call, const Tensor& weights, const Chosen& chosen, const Pass& pass) const {
    Sightings seen;
    if (pass.keeps_maps())
        seen.push_back({call.number, call.position, weights.detach(), chosen.read.detach(), chosen.index});
    else if (pass.keep == Keep::choices && !chosen.index.empty())
        seen.push_back(
            {call.number, call.position, weights, chosen.read, chosen.index, call.query, call.values, chosen.proposal});
    return seen;
}

}  // namespace attend::ATTEND_PRECISION
