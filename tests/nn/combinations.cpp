#include "tests/nn/combinations.h"

#include <algorithm>

#include "core/ops.h"

namespace attend::ATTEND_PRECISION::combinations {

std::string Combination::text() const {
    return fmt::format("{} + {} + {} + {} + {}{}{}", score, bias, window, align, select,
                       kind.parallel ? ", parallel" : ", step by step", kind.aligned_positions ? ", own positions" : "");
}

AttentionOptions Combination::options() const {
    AttentionOptions o;
    o.score.choose(score);
    o.bias.choose(bias);
    o.window.choose(window);
    o.align.choose(align);
    o.select.choose(select);
    o.width = 4;
    return o;
}

bool Combination::legal() const {
    const AttentionOptions o = options();
    ParameterStore store(1);
    const Scope scope(store, "factor");
    const auto of_score = score_table().build(o.score, scope.in("score"), ScoreSetup{width, width, o.width});
    const auto of_window = window_table().build(o.window, scope.in("window"), WindowSetup{width, o.width});
    const auto of_bias = bias_table().build(o.bias, scope.in("bias"), BiasSetup{width, width, 0, 1, of_window->is_causal()});
    const auto of_align = align_table().build(o.align, scope.in("align"));
    const auto of_select = select_table().build(o.select, scope.in("select"));
    return !(kind.parallel && (of_score->needs_previous() || of_align->needs_previous())) &&
           (kind.aligned_positions || !(of_window->needs_position() || of_bias->needs_position())) &&
           (of_window->is_causal() || !of_bias->needs_causal()) && (of_window->contiguous() || !of_align->needs_previous()) &&
           ((of_align->is_distribution() && !of_window->after_align()) || of_select->hard() == nullptr);
}

Attention Combination::build(ParameterStore& store) const {
    return Attention(Scope(store, "attention"), options(), width, width, kind);
}

namespace {

void each(const std::function<void(const Combination&, int differing, int64_t number)>& f) {
    int64_t number = 0;
    const std::vector<std::string> tables[] = {score_table().names(), bias_table().names(), window_table().names(),
                                               align_table().names(), select_table().names()};
    for (const std::string& score : tables[0])
        for (const std::string& bias : tables[1])
            for (const std::string& window : tables[2])
                for (const std::string& align : tables[3])
                    for (const std::string& select : tables[4])
                        for (const QueryKind kind : {QueryKind{true, true}, QueryKind{true, false}, QueryKind{false, false}}) {
                            const int differing = (score != tables[0][0]) + (bias != tables[1][0]) + (window != tables[2][0]) +
                                                  (align != tables[3][0]) + (select != tables[4][0]);
                            f({score, bias, window, align, select, kind}, differing, number++);
                        }
}

}  // namespace

void for_each(const std::function<void(const Combination&)>& f) {
    each([&](const Combination& c, int, int64_t) { f(c); });
}

void for_each_of_sample(const std::function<void(const Combination&)>& f) {
    each([&](const Combination& c, int differing, int64_t number) {
        if (differing <= 2 || number % 40 == 0)
            f(c);
    });
}

std::string HeadsCombination::text() const {
    return fmt::format("{}, gate {}{}{}", factors.text(), gate, talking ? ", talking" : "",
                       differential ? ", differential" : "");
}

AttentionOptions HeadsCombination::options() const {
    AttentionOptions o = factors.options();
    o.gate = gate;
    o.talking = talking;
    o.differential = differential;
    return o;
}

bool HeadsCombination::legal() const {
    if (!factors.legal() || (talking && differential))
        return false;
    ParameterStore store(1);
    const Scope scope(store, "factor");
    const AttentionOptions o = options();
    const auto window = window_table().build(o.window, scope.in("window"), WindowSetup{width, o.width});
    const auto select = select_table().build(o.select, scope.in("select"));
    return (select->hard() == nullptr || !(talking || differential)) && !(talking && window->after_align());
}

std::unique_ptr<MultiHead> HeadsCombination::build(ParameterStore& store) const {
    BlockAttentionSetup setup{.width = heads_width,
                              .memory = factors.kind.aligned_positions ? 0 : heads_memory,
                              .heads = 2,
                              .key_heads = 1,
                              .bias = Bias::no,
                              .init = {0.6},
                              .out_init = {0.6}};
    setup.site.kind = factors.kind.aligned_positions ? SiteKind::encoder : SiteKind::cross;
    setup.site.layer = 1;
    auto heads = std::make_unique<MultiHead>(Scope(store, "attention"), options(), setup);
    Stream stream(3, "push");
    for (const Parameter& p : store.table()) {
        for (int64_t i = 0; i < p.shape.size(); ++i) store.values(p)[i] += stream.uniform(real{-0.3}, real{0.3});
        if (p.name.ends_with(".sharpness"))  // of a cosine, 10: sparse weights would be those of one position
            std::fill_n(store.values(p), p.shape.size(), real{1});
    }
    return heads;
}

namespace {

// Each where at most so many factors differ from the first rows.
void each_of_heads(const std::function<void(const HeadsCombination&)>& f, int most_differing, int most_differing_gated) {
    const std::vector<HeadsCombination> plain = {{.talking = true}, {.differential = true}},
                                        with_gate = {{.gate = "elementwise"},
                                                     {.gate = "headwise"},
                                                     {.gate = "headwise", .talking = true},
                                                     {.gate = "elementwise", .differential = true},
                                                     {.talking = true, .differential = true}};
    each([&](const Combination& c, int differing, int64_t) {
        const auto call = [&](const std::vector<HeadsCombination>& together, int most) {
            for (HeadsCombination h : together)
                if (c.kind.parallel && differing <= most) {
                    h.factors = c;
                    f(h);
                }
        };
        call(plain, most_differing);
        call(with_gate, most_differing_gated);
    });
}

}  // namespace

void for_each_of_heads(const std::function<void(const HeadsCombination&)>& f) { each_of_heads(f, 5, 1); }
void for_each_of_heads_of_sample(const std::function<void(const HeadsCombination&)>& f) { each_of_heads(f, 1, 0); }

Played play(const Attention& attention, const Combination& c, const Tensor& query, const Tensor& memory,
            const Array<int32_t>& lengths, int64_t first, const Context& context) {
    const Attendable source = attention.prepare(memory, lengths);
    const Pass pass(context, context.training() ? Keep::choices : Keep::maps);
    const int64_t start = c.kind.aligned_positions ? first : 0;
    const auto shown = [](const Attended& a) { return a.seen.empty() ? a.next.weights : a.seen.front().weights; };
    if (c.kind.parallel) {
        Attended a = attention(query, source, start, {}, pass);
        Tensor weights = shown(a);
        return {std::move(a.context), std::move(weights), std::move(a.penalty)};
    }
    Array<Tensor> contexts, weights, penalties;
    Previous previous;
    for (int64_t t = 0; t < query.dim(1); ++t) {
        Attended a = attention(slice(query, 1, t, t + 1), source, start + t, previous, pass);
        contexts.push_back(a.context);
        weights.push_back(shown(a));
        if (a.penalty.defined())
            penalties.push_back(a.penalty);
        previous = std::move(a.next);
    }
    return {concat(std::span<const Tensor>(contexts), 1), concat(std::span<const Tensor>(weights), 1),
            penalties.empty() ? Tensor() : concat(std::span<const Tensor>(penalties), 1)};
}

}  // namespace attend::ATTEND_PRECISION::combinations
