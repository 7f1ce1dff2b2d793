#include "nn/multi_head.h"

#include <algorithm>

#include "core/base/trace.h"
#include "core/ops.h"
#include "nn/attention/heads.h"
#include "nn/attention/witness.h"

namespace attend::ATTEND_PRECISION {

MultiHead::MultiHead(const Scope& scope, std::span<const AttentionOptions> each, const BlockAttentionSetup& setup)
    : setup_(setup), path_(scope.path()) {
    const HeadSizes sizes = head_sizes(path_, setup_);
    setup_.key_heads = sizes.key_heads;
    head_size_ = sizes.size;
    const int64_t h = sizes.heads, g = sizes.key_heads, d = setup_.width;
    parts_ = query_parts(path_, each, head_size_);
    require(setup_.rotary_base == 0 || head_size_ % (2 * parts_) == 0,
            "{}: rotary positions rotate pairs of elements, so the head size must {}: head size {} (width {} / heads {})",
            path_, parts_ == 1 ? "be even" : "be a multiple of 4 where attention is differential and halves are rotated",
            head_size_, d, h);
    if (setup_.rotary_base > 0) {
        setup_.rotary.base = setup_.rotary_base;
        turns_ = rotary_turns(head_size_ / parts_, setup_.rotary);
    }
    const bool self = setup_.memory == 0;
    if (self) {
        qkv_ = Linear(scope.in("qkv"), d, (h + 2 * g) * head_size_, setup_.bias, setup_.init(d, d));
    } else {
        query_ = Linear(scope.in("query"), d, h * head_size_, setup_.bias, setup_.init(d, d));
        key_value_ = Linear(scope.in("key_value"), setup_.memory, 2 * g * head_size_, setup_.bias,
                            setup_.init(setup_.memory, g * head_size_));
    }
    out_ = Linear(scope.in("out"), h * head_size_, d, setup_.bias, setup_.out_init(d, d));
    const QueryKind kind{.parallel = true, .aligned_positions = self, .causal = setup_.causal()};
    for (int64_t i = 0; i < h; ++i) {
        heads_.emplace_back(scope.in("heads").in(i), each[static_cast<std::size_t>(i)], head_size_ / parts_,
                            head_size_ / parts_, kind,
                            Head{.number = i,
                                 .of = h,
                                 .projected = Projected::yes,
                                 .dropout = setup_.dropout,
                                 .input = self ? d : setup_.memory},
                            setup_.site);
        heads_.back().site.number += i;
    }
    group_ = head_group(scope, heads_, head_size_);
    if (const std::string& gate = each.front().gate; gate != "none")
        gate_.emplace(scope.in("gate"), gate, d, h, head_size_, setup_.init);
    fuse();
}

void MultiHead::fuse() {
    if (group_ != nullptr)
        return;
    const std::optional<Attention::Fused> first = heads_.front().fused();
    const std::string window = text_of(heads_.front().factors.window);
    for (const Attention& head : heads_) {
        const std::optional<Attention::Fused> own = head.fused();
        if (!first || !own || own->factor != first->factor || (own->slope == 0) != (first->slope == 0) ||
            text_of(head.factors.window) != window)
            return;
    }
    fused_.emplace();
    fused_->heads = setup_.heads;
    fused_->key_heads = setup_.key_heads;
    fused_->scale = first->factor;
    if (first->slope != 0)
        for (const Attention& head : heads_) fused_->alibi.push_back(head.fused()->slope);
}

FusedAttentionOptions MultiHead::fused_for(int64_t position, const Context& context) const {
    FusedAttentionOptions o = *fused_;
    o.first_position = position;
    if (context.training() && setup_.dropout > 0) {
        o.dropout = static_cast<real>(setup_.dropout);
        o.draws = context.draws(heads_.front().dropout.name, 0);
    }
    return o;
}

std::vector<const HardChoice*> MultiHead::hard() const {
    std::vector<const HardChoice*> all;
    for (const Attention& head : heads_)
        if (head.select->hard() != nullptr)
            all.push_back(head.select->hard());
    return all;
}

Sites MultiHead::sites() const {
    Sites all;
    for (const Attention& head : heads_) all.push_back(head.site);
    return all;
}

bool MultiHead::reads_distances() const {
    return std::ranges::any_of(heads_, [](const Attention& head) { return head.bias->reads_distances(); });
}

Tensor MultiHead::queries_keys_values(const Tensor& x, int64_t position, const Pass& pass) const {
    const Tensor qkv = qkv_(x);
    if (setup_.rotary_base == 0)
        return qkv;
    const int64_t turned = parts_ * (setup_.heads + setup_.key_heads);
    return pass.numbering ? rotary(qkv, turned, turns_, pass.numbering->part(position, x.dim(1)), setup_.rotary_pairs)
                          : rotary(qkv, turned, turns_, position, setup_.rotary_pairs);
}

std::vector<HeadInput> MultiHead::inputs(const Tensor& queries, const KeyValues& memory, int64_t position) const {
    const int64_t k = head_size_, g = setup_.key_heads, group = setup_.heads / g;
    Array<Tensor> keys, values;
    std::vector<HeadInput> all;
    int64_t place = 0;
    for (int64_t i = 0; i < g; ++i) {
        keys.push_back(slice(memory.packed, -1, i * k, (i + 1) * k));
        values.push_back(slice(memory.packed, -1, (g + i) * k, (g + i + 1) * k));
    }
    for (int64_t i = 0; i < setup_.heads; ++i) {
        const auto shared = static_cast<std::size_t>(i / group);
        const int64_t places = heads_[static_cast<std::size_t>(i)].bias->places();
        all.push_back({.query = slice(queries, -1, i * k, (i + 1) * k),
                       .keys = keys[shared],
                       .values = values[shared],
                       .places = places > 0 ? slice(memory.places, -1, place, place + places) : Tensor(),
                       .lengths = memory.lengths,
                       .position = position});
        place += places;
    }
    return all;
}

Output MultiHead::by_heads(const Tensor& queries, const KeyValues& memory, int64_t position, const Pass& pass) const {
    const std::vector<HeadInput> each = inputs(queries, memory, position);
    Array<Tensor> contexts;
    Sightings seen;
    const auto keep = [&](Attended a) {  // and let go of the rest, the weights of one head after the other
        contexts.push_back(std::move(a.context));
        append(seen, std::move(a.seen));
    };
    if (group_ != nullptr)
        for (Attended& a : (*group_)(heads_, each, pass)) keep(std::move(a));
    else
        for (std::size_t i = 0; i < heads_.size(); ++i) keep(heads_[i](each[i], pass));
    return {concat(contexts, -1), std::move(seen)};
}

Output MultiHead::read(const Tensor& queries, const KeyValues& memory, int64_t position, const Pass& pass) const {
    if (!fuses(pass))
        return by_heads(queries, memory, position, pass.unwitnessed());
    const Ranges visible = heads_.front().window->ranges(memory.lengths, queries.dim(1), position);  // all heads' window
    return {cross_attention(queries, memory.packed, fused_for(position, pass), visible)};
}

Tensor MultiHead::places_of(const Tensor& x) const {
    Array<Tensor> all;
    for (const Attention& head : heads_)
        if (head.bias->places() > 0)
            all.push_back(head.bias->prepare(x));
    return all.empty() ? Tensor() : concat(all, -1);
}

Output MultiHead::read_self(const Tensor& qkv, const Tensor& places, std::span<const int32_t> lengths, const Pass& pass) const {
    const int64_t h = setup_.heads, g = setup_.key_heads, k = head_size_;
    if (fuses(pass))
        return {self_attention(qkv, fused_for(0, pass), heads_.front().window->ranges(lengths, qkv.dim(1), 0))};
    const Array<int32_t> own(lengths.begin(), lengths.end());
    return read(slice(qkv, -1, 0, h * k), {.packed = slice(qkv, -1, h * k, (h + 2 * g) * k), .lengths = own, .places = places},
                0, pass);
}

void MultiHead::tell(const Tensor& queries, const KeyValues& memory, int64_t position, const Tensor& context, Own own,
                     const Pass& pass) const {
    if (pass.witness == nullptr)
        return;
    const auto again = [this, own, numbering = pass.numbering](const Reading& r, const Pass& p) {
        const trace::Scope here(path_.c_str());
        Pass now = p.unwitnessed();
        now.numbering = numbering;
        if (own == Own::yes)
            return read_self(concat({r.queries, r.keys, r.values}, -1), r.places, r.lengths, now);
        return read(r.queries, {.packed = concat({r.keys, r.values}, -1), .lengths = r.lengths, .places = r.places}, r.position,
                    now);
    };
    const int64_t columns = setup_.key_heads * head_size_;
    Reading told{.path = path_,
                 .key_heads = setup_.key_heads,
                 .queries = queries,
                 .keys = slice(memory.packed, -1, 0, columns),
                 .values = slice(memory.packed, -1, columns, 2 * columns),
                 .lengths = memory.lengths,
                 .position = position,
                 .places = memory.places,
                 .context = context,
                 .again = again};
    for (const Attention& head : heads_) told.heads.push_back(&head);
    pass.witness->saw(std::move(told));
}

Tensor MultiHead::finished(const Tensor& x, const Tensor& contexts) const {
    const Tensor read = group_ == nullptr ? contexts : group_->finished(contexts);
    return out_(gate_ ? (*gate_)(x, read) : read);
}

Output MultiHead::attend(const Tensor& x, const Tensor& queries, const KeyValues& memory, int64_t position,
                         const Pass& pass) const {
    Output joined = read(queries, memory, position, pass);
    tell(queries, memory, position, joined.value, Own::no, pass);
    return {finished(x, joined.value), std::move(joined.seen)};
}

Output MultiHead::operator()(const Tensor& x, std::span<const int32_t> lengths, const Pass& pass) const {
    const trace::Scope here(path_.c_str());
    const int64_t h = setup_.heads, g = setup_.key_heads, k = head_size_;
    const Tensor qkv = queries_keys_values(x, 0, pass), places = places_of(x);
    Output joined = read_self(qkv, places, lengths, pass);
    if (pass.witness != nullptr) {
        const Array<int32_t> own(lengths.begin(), lengths.end());
        tell(slice(qkv, -1, 0, h * k), {.packed = slice(qkv, -1, h * k, (h + 2 * g) * k), .lengths = own, .places = places}, 0,
             joined.value, Own::yes, pass);
    }
    return {finished(x, joined.value), std::move(joined.seen)};
}

Output MultiHead::extend(const Tensor& x, KeyValues& past, const Pass& pass) const {
    const trace::Scope here(path_.c_str());
    const int64_t h = setup_.heads, g = setup_.key_heads, k = head_size_;
    const int64_t position = past.positions;
    const Tensor qkv = queries_keys_values(x, position, pass);
    const Tensor mine = slice(qkv, -1, h * k, (h + 2 * g) * k);
    past.packed = position > 0 ? concat({past.packed, mine}, 1) : mine;
    if (const Tensor places = places_of(x); places.defined())
        past.places = position > 0 ? concat({past.places, places}, 1) : places;
    past.positions += x.dim(1);
    past.lengths.assign(static_cast<std::size_t>(x.dim(0)), static_cast<int32_t>(past.positions));
    return attend(x, slice(qkv, -1, 0, h * k), past, position, pass);
}

KeyValues MultiHead::prepare(const Tensor& memory, std::span<const int32_t> lengths) const {
    const trace::Scope here(path_.c_str());
    return {
        .packed = key_value_(memory), .lengths = Array<int32_t>(lengths.begin(), lengths.end()), .places = places_of(memory)};
}

Output MultiHead::operator()(const Tensor& x, const KeyValues& memory, int64_t position, const Pass& pass) const {
    const trace::Scope here(path_.c_str());
    return attend(x, query_(x), memory, position, pass);
}

}  // namespace attend::ATTEND_PRECISION
