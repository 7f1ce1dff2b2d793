#include "nn/attention/attention.h"

#include <algorithm>

#include "core/base/trace.h"
#include "core/ops.h"
#include "nn/attention/witness.h"

namespace attend::ATTEND_PRECISION {

Attention::Attention(const Scope& scope, const AttentionOptions& o, int64_t query_width, int64_t memory_width, QueryKind kind,
                     const Head& head, const Site& place)
    : site(place),
      factors(o),
      score_path(scope.in("score").path()),
      window_path(scope.in("window").path()),
      dropout(scope.in("dropout"), head.dropout) {
    site.path = scope.path();
    site.head = head.number;
    const int64_t inner = o.width == 0 ? query_width : o.width;
    score = score_table().build(o.score, scope.in("score"), ScoreSetup{query_width, memory_width, inner, head.projected});
    site.room = score->room();
    window = window_table().build(o.window, scope.in("window"), WindowSetup{query_width, inner});
    bias = bias_table().build(
        o.bias, scope.in("bias"),
        BiasSetup{query_width, head.input == 0 ? memory_width : head.input, head.number, head.of, window->is_causal()});
    align = align_table().build(o.align, scope.in("align"));
    select = select_table().build(o.select, scope.in("select"));
    check_goes_together(kind);
}

// Why factors do not go together, in the order in which a reader would ask.
void Attention::check_goes_together(QueryKind kind) const {
    const std::string& path = site.path;
    const AttentionOptions& o = factors;
    const auto one_by_one = [&](const char* factor, const std::string& name, bool needs_previous) {
        require(!(kind.parallel && needs_previous),
                "{}: {} '{}' reads the weights of the step before, but here the queries of all steps run in parallel", path,
                factor, name);
    };
    one_by_one("score", o.score.name(), score->needs_previous());
    one_by_one("align", o.align.name(), align->needs_previous());
    const auto own_positions = [&](const char* factor, const std::string& name, bool needs_position) {
        require(kind.aligned_positions || !needs_position,
                "{}: {} '{}' compares the query's position with the source's, but query and source are different sequences; it "
                "is for self-attention",
                path, factor, name);
    };
    own_positions("window", o.window.name(), window->needs_position());
    own_positions("bias", o.bias.name(), bias->needs_position());
    require(!kind.causal || window->is_causal(), "{}: window '{}' shows a position what it has to predict; 'causal' does not",
            path, o.window.name());
    require(!bias->needs_causal() || window->is_causal(),
            "{}: bias '{}' is defined for positions up to the query's own, but window '{}' shows later ones; 'causal' does not",
            path, o.bias.name(), o.window.name());
    require(
        !window->after_align() || !align->needs_previous(),
        "{}: align '{}' continues from the weights of the step before, but window '{}' makes them smaller after the alignment",
        path, o.align.name(), o.window.name());
    require(window->contiguous() || !align->needs_previous(),
            "{}: align '{}' reads the weights of the step before at each position, but window '{}' leaves some out", path,
            o.align.name(), o.window.name());
    ensure(!score->penalises() || score->needs_previous(), "{}: the loss of a score that does not read the step before: '{}'",
           path, o.score.name());
    require(!score->penalises() || select->hard() == nullptr,
            "{}: the loss of score '{}' is of weights that values are read with, but select '{}' reads one position", path,
            o.score.name(), o.select.name());
    require(align->is_distribution() || select->hard() == nullptr,
            "{}: select '{}' draws from the weights, but align '{}' does not make a distribution", path, o.select.name(),
            o.align.name());
    require(!window->after_align() || select->hard() == nullptr,
            "{}: select '{}' draws from the weights, but window '{}' makes them smaller after the alignment: they are no "
            "distribution",
            path, o.select.name(), o.window.name());
}

Attendable Attention::prepare(const Tensor& memory, std::span<const int32_t> lengths) const {
    const trace::Scope here(site.path.c_str());
    require(memory.rank() == 3 && memory.dim(0) == static_cast<int64_t>(lengths.size()),
            "{}: one length for each row: memory {}, {} lengths", site.path, memory.shape(), lengths.size());
    return prepare(memory, memory, lengths, bias->prepare(memory));
}

Attendable Attention::prepare(const Tensor& keys, const Tensor& values, std::span<const int32_t> lengths,
                              const Tensor& places) const {
    const trace::Scope here(score_path.c_str());
    return {score->prepare(keys), values, Array<int32_t>(lengths.begin(), lengths.end()), places};
}

std::optional<Attention::Fused> Attention::fused() const {
    const std::optional<real> product = score->product_factor(), softmax = align->softmax_factor(), slope = bias->slope();
    if (!product || !softmax || !slope || window->after_align() || !window->contiguous() || !select->reads_weights())
        return {};
    if (*slope != 0 && !window->is_causal())  // the kernel's distance has a sign
        return {};
    return Fused{*product * *softmax, *slope * *softmax};
}

Call Attention::call(const Tensor& query, const Attendable& source, int64_t position, const Previous& previous,
                     const Pass& pass) const {
    require(query.rank() == 3 && query.dim(0) == source.values.dim(0), "{}: batches differ: query {}, source {}", site.path,
            query.shape(), source.values.shape());
    return {.query = query,
            .keys = source.keys,
            .lengths = source.lengths,
            .source = source.values.dim(1),
            .position = position,
            .previous = previous,
            .values = source.values,
            .number = site.number,
            .places = source.places,
            .context = pass,
            .samples = pass.samples,
            .numbering = pass.numbering};
}

namespace {

// The positions that each query sees, side by side, so that what works on ranges works on windows
// with holes.
struct Gathered {
    Array<int32_t> from;  // [N, C] element of [N, S], or -1
    Array<int32_t> back;  // [N, S] element of [N, C], or -1
    int64_t columns = 0;  // C
    Ranges ranges;
};

Gathered gathered(const View& view, int64_t source) {
    Gathered out;
    const auto rows = static_cast<int64_t>(view.ranges.size());
    for (const Range& r : view.ranges) out.columns = std::max<int64_t>(out.columns, r.end - r.begin);
    out.from.assign(static_cast<std::size_t>(rows * out.columns), -1);
    out.back.assign(static_cast<std::size_t>(rows * source), -1);
    for (int64_t row = 0; row < rows; ++row) {
        int32_t count = 0;
        const Range r = view.ranges[static_cast<std::size_t>(row)];
        for (int64_t s = r.begin; s < r.end; ++s) {
            const int64_t element = row * source + s;
            if (view.visible[static_cast<std::size_t>(element)] == 0)
                continue;
            out.from[static_cast<std::size_t>(row * out.columns + count)] = static_cast<int32_t>(element);
            out.back[static_cast<std::size_t>(element)] = static_cast<int32_t>(row * out.columns + count++);
        }
        out.ranges.push_back({0, count});
    }
    return out;
}

}  // namespace

Aligned Attention::aligned(const Tensor& scores, const View& view, const Call& call) const {
    if (view.visible.empty())
        return (*align)(scores, view.ranges, call);
    const Gathered g = gathered(view, call.source);
    const Shape narrow = scores.shape().with(2, g.columns);
    const Aligned made = (*align)(elements(scores, g.from, narrow), g.ranges, call);
    return elements(made.weights, g.back, scores.shape());
}

Call Attention::call(const HeadInput& in, const Pass& pass) const {
    return call(in.query, prepare(in.keys, in.values, in.lengths, in.places), in.position, {}, pass);
}

Attended Attention::operator()(const HeadInput& in, const Pass& pass) const {
    const Call now = call(in, pass);
    return read(now, weighed(now, scored(now)), pass);
}

// score(q, k), and what the queries see
Attention::Scored Attention::scored(const Call& call) const {
    const trace::Scope here(site.path.c_str());
    View view = [&] {
        const trace::Scope in_window(window_path.c_str());
        return window->view(call);
    }();
    const trace::Scope in_score(score_path.c_str());
    AttentionScores scores = (*score)(call, view.ranges);
    return {std::move(view), std::move(scores)};
}

// e = score(q, k) + bias, a = align(e over the window)
Attention::Weighed Attention::weighed(const Call& call, const Scored& s) const {
    const trace::Scope here(site.path.c_str());
    Aligned made = aligned((*bias)(s.scores.values, call, s.view.ranges), s.view, call);
    return {window->reweigh(made.weights, call, s.view), s.scores.state, std::move(made.state)};
}

// c = sum_s select(a)_s value_s
Attended Attention::read(const Call& call, Weighed made, const Pass& pass) const {
    const trace::Scope here(site.path.c_str());
    const Chosen chosen = (*select)(made.weights, call, pass);
    Sightings seen = kept(call, made.weights, chosen, pass);
    Tensor penalty = score->penalty(chosen.read, made.score);
    const Tensor used = dropout(chosen.read, pass, static_cast<uint32_t>(call.position));
    return {matmul(used, call.values),
            {chosen.read, std::move(made.score), std::move(made.align)},
            std::move(seen),
            std::move(penalty)};
}

Tensor Attention::weigh(const Tensor& query, const Attendable& source, int64_t position, const Pass& pass) const {
    const Call now = call(query, source, position, {}, pass);
    return weighed(now, scored(now)).weights;
}

Attended Attention::operator()(const Tensor& query, const Attendable& source, int64_t position, const Previous& previous,
                               const Pass& pass) const {
    const trace::Scope here(site.path.c_str());
    const Call now = call(query, source, position, previous, pass);
    Attended all = read(now, weighed(now, scored(now)), pass);
    tell(now, all.context, pass);
    return all;
}

void Attention::tell(const Call& call, const Tensor& context, const Pass& pass) const {
    if (pass.witness == nullptr)
        return;
    const auto again = [this](const Reading& r, const Pass& p) {
        Attended a = (*this)(r.queries, {score->prepare(r.keys), r.values, r.lengths, r.places}, r.position, r.previous,
                             p.unwitnessed());
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
                       .places = call.places,
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
