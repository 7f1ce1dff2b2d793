#include "nn/attention/kind.h"

#include "core/engine.h"
#include "core/ops.h"

namespace attend::ATTEND_PRECISION {

Tensor SourceAttention::weigh(const Tensor&, const Attendable&, int64_t, const Pass&) const {
    ensure(false, "attention: this kind has no weights: sites {}", sites().size());
    return {};
}

KeyValues KeyValues::select(std::span<const int32_t> rows) const {
    const NoGrad off;
    const auto n = static_cast<int64_t>(rows.size());
    const auto picked = [&](const Tensor& x) {
        return x.defined() ? embedding(x.reshape({x.dim(0), x.shape().inner(0)}), rows, {n}).reshape(x.shape().with(0, n)) : x;
    };
    KeyValues out{.packed = picked(packed), .places = picked(places), .state = picked(state), .positions = positions};
    for (const int32_t r : rows)
        if (!lengths.empty())
            out.lengths.push_back(lengths[static_cast<std::size_t>(r)]);
    return out;
}

// Each row is defined in the file of its name.
AttentionTable::Row attention_weighted(), attention_linear(), attention_retention(), attention_delta(), attention_gated_delta(),
    attention_none();

const AttentionTable& attention_table() {
    static const AttentionTable table("attention",
                                      {attention_weighted(), attention_linear(), attention_retention(), attention_delta(),
                                       attention_gated_delta(), attention_none()},
                                      "type", Listed::yes, "weighted");
    return table;
}
const registry::AtStart attention_listed(attention_table());

void require_alike(const Scope& scope, std::span<const Selection> heads) {
    require(heads.empty(), "{}: heads of one layer can differ in attention 'weighted' alone: attention '{}', heads {}",
            scope.path(), heads.empty() ? "" : heads.front().name(), heads.size());
}

std::unique_ptr<BlockAttention> attention_in_block(const Pattern& pattern, int64_t layer, const Scope& scope,
                                                   const BlockAttentionSetup& setup) {
    const Pattern::Layer& own = pattern.layers()[static_cast<std::size_t>(layer) % pattern.layers().size()];
    std::vector<Selection> heads;  // none where they are alike
    for (int64_t h = 0; own.size() > 1 && h < setup.heads; ++h) heads.push_back(pattern.at(layer, h));
    for (const Selection& head : heads)
        require(head.name() == heads.front().name(), "{}: heads of one layer have one kind of attention: '{}', '{}'",
                scope.path(), heads.front().name(), head.name());
    return attention_table().build(own.front())->in_block(scope, setup, heads);
}

void choose_factor(Pattern& attention, Selection AttentionOptions::*factor, const std::string& row) {
    ensure(attention.uniform(), "attention: layers or heads differ: layers {}", attention.layers().size());
    Selection all = attention.first();
    (factors_of(all).*factor).choose(row);
    attention = Pattern(all);
}

Selection transformer_attention(const std::string& window) {
    Selection choice(attention_table(), "weighted");
    factors_of(choice).score.choose("scaled_dot");
    factors_of(choice).window.choose(window);
    return choice;
}

}  // namespace attend::ATTEND_PRECISION
