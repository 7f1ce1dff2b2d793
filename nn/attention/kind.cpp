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
AttentionTable::Row attention_weighted(), attention_none();

const AttentionTable& attention_table() {
    static const AttentionTable table("attention", {attention_weighted(), attention_none()}, "type", Listed::yes, "weighted");
    return table;
}
const registry::AtStart attention_listed(attention_table());

Selection transformer_attention(const std::string& window) {
    Selection choice(attention_table(), "weighted");
    factors_of(choice).score.choose("scaled_dot");
    factors_of(choice).window.choose(window);
    return choice;
}

}  // namespace attend::ATTEND_PRECISION
