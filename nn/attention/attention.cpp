#include "nn/attention/attention.h"

#include "core/base/trace.h"
#include "core/ops.h"

namespace attend::ATTEND_PRECISION {

Attention::Attention(const Scope& scope, const AttentionOptions& o, int64_t query_width, int64_t memory_width, QueryKind kind,
                     const Head& head)
    : path(scope.path()),
      score_path(scope.in("score").path()),
      dropout(scope.in("dropout"), head.dropout),
      columns(kind.aligned_positions ? Columns::own : Columns::source) {
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
            "{}: one length for each row: memory {}, {} lengths", path, memory.shape(), lengths.size());
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

AttentionScores Attention::scored(const Site& site, const Ranges& ranges) const {
    const trace::Scope here(score_path.c_str());
    return (*score)(site, ranges);
}

// e = score(q, k) + bias, a = align(e over the window), c = sum_s select(a)_s value_s
Attended Attention::operator()(const Tensor& query, const Attendable& source, int64_t position, const Previous& previous,
                               const Context& context) const {
    const trace::Scope here(path.c_str());
    require(query.rank() == 3 && query.dim(0) == source.values.dim(0), "{}: batches differ: query {}, source {}", path,
            query.shape(), source.values.shape());
    const Site site{query, source.keys, source.lengths, source.values.dim(1), position, previous, source.values};
    const Ranges ranges = window->ranges(site.lengths, site.queries(), position);
    AttentionScores scores = scored(site, ranges);
    const Tensor weights = window->reweigh((*align)((*bias)(scores.values, site, ranges), ranges, site), site);
    Selected chosen = (*select)(weights, site, context);
    if (context.taps != nullptr && !context.training())
        context.taps->maps.push_back({path, position, chosen.weights.detach(), columns});
    if (context.decisions != nullptr && chosen.decision)
        context.decisions->taken.push_back(*chosen.decision);
    const Tensor read = dropout(chosen.weights, context, static_cast<uint32_t>(position));
    return {matmul(read, source.values), chosen.weights, std::move(scores.state), std::move(chosen.decision)};
}

}  // namespace attend::ATTEND_PRECISION
