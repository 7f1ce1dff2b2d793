#include "nn/blocks.h"

#include <algorithm>

#include "core/base/trace.h"
#include "core/ops.h"
#include "core/recompute.h"

namespace attend::ATTEND_PRECISION {

namespace {

struct Activation {
    const char* name;
    Tensor (*function)(const Tensor&);
    int64_t inputs;  // numbers that one number of the result is made of
};
constexpr Activation activations[] = {{"relu", relu, 1}, {"gelu", gelu, 1}, {"gelu_tanh", gelu_tanh, 1}, {"swiglu", swiglu, 2}};

std::vector<std::string> activation_names() {
    std::vector<std::string> names;
    for (const Activation& a : activations) names.emplace_back(a.name);
    return names;
}

const Activation& activation_of(const std::string& name) {
    for (const Activation& a : activations)
        if (name == a.name)
            return a;
    fail("activation: no such name: '{}', known {}", name, std::size(activations));
}

}  // namespace

void BlockOptions::fields(Visitor& v) {
    v.integer("layers", layers, {1, 1024}, "blocks in a stack");
    v.integer("heads", heads, {1, 1024}, "attention heads; each has width / heads columns");
    v.integer("key_heads", key_heads, {0, 1024, "auto"},
              "heads of keys and values, each for as many query heads (grouped-query attention); auto: heads");
    v.integer("width", width, {1, 65536}, "width of the residual stream");
    v.integer("ffn", ffn, {0, 262144, "auto"}, "inner width of the feed-forward network; auto: 4 width");
    v.flag("feed_forward", feed_forward, "blocks have a feed-forward network; false: attention alone");
    v.choice("activation", activation, activation_names(),
             "of the feed-forward network; gelu is the exact form, gelu_tanh the approximation");
    v.choice("norm", norm, {"layer", "rms"}, "layer norm (Ba 2016) or RMS norm (Zhang and Sennrich 2019)");
    v.choice("norm_place", norm_place, {"pre", "post"},
             "pre: before each part, and one more after the last block; post: after each residual sum (Vaswani 2017)");
    v.number("norm_epsilon", norm_epsilon, {1e-12, 1e-1}, "added to the variance under the root");
    v.flag("bias", bias, "linear layers and layer norms have biases");
    v.number("dropout", dropout, {0, 0.99}, "dropout probability of embeddings, attention weights and the output of each part");
    v.number("rotary_base", rotary_base, {1, 1e9}, "positions 'rotary': base of the wave lengths (Su 2021, 3.2.2)");
    v.choice(
        "rotary_pairs", rotary_pairs, {"halves", "neighbouring"},
        "positions 'rotary': which elements of a head of K are turned together: i and i + K/2 (as GPT-NeoX does), or 2i and "
        "2i + 1 (Su 2021, eq. 34)");
    v.flag("recompute", recompute,
           "keep one value of each block for the backward pass and compute the others again: less memory, more time");
}

Norm::Norm(const Scope& scope, const BlockOptions& o)
    : rms_(o.norm == "rms"),
      weight_(scope.add("weight", {o.width}, Init::ones())),
      epsilon_(static_cast<real>(o.norm_epsilon)),
      path_(scope.path()) {
    if (!rms_ && o.bias)
        bias_ = scope.add("bias", {o.width}, Init::zeros());
}

Tensor Norm::operator()(const Tensor& x) const {
    const trace::Scope here(path_.c_str());
    return rms_ ? rms_norm(x, weight_, epsilon_) : layer_norm(x, weight_, bias_, epsilon_);
}

FeedForward::FeedForward(const Scope& scope, const BlockOptions& o, const WeightInit& init, const WeightInit& down_init)
    : path_(scope.path()) {
    const Activation& a = activation_of(o.activation);
    up_ = Linear(scope.in("up"), o.width, a.inputs * o.ffn_width(), o.with_bias(), init(o.width, o.ffn_width()));
    down_ = Linear(scope.in("down"), o.ffn_width(), o.width, o.with_bias(), down_init(o.ffn_width(), o.width));
    activation_ = a.function;
}

Tensor FeedForward::operator()(const Tensor& x) const {
    const trace::Scope here(path_.c_str());
    return down_(activation_(up_(x)));
}

BlockStack::BlockStack(const Scope& scope, const BlockOptions& o, const Pattern& self, const CrossOptions& cross,
                       const BlockInit& init, const std::optional<RotaryOptions>& rotary, const Site& first)
    : options_(o), crosses_(cross.attention != nullptr) {
    self.require_used(o.layers, o.heads, scope.path() + ": attention");
    if (crosses_)
        cross.attention->require_used(o.layers, o.heads, scope.path() + ": cross_attention");
    Site site = first;
    for (int64_t l = 0; l < o.layers; ++l) {
        const Scope s = scope.in(l);
        site.layer = l;
        site.kind = first.kind;
        site.option = first.option;
        BlockAttentionSetup heads{.width = o.width,
                                  .memory = 0,
                                  .heads = o.heads,
                                  .key_heads = o.key_heads,
                                  .bias = o.with_bias(),
                                  .dropout = o.dropout,
                                  .rotary_base = rotary ? o.rotary_base : 0,
                                  .rotary_pairs = o.rotary_pairs == "halves" ? RotaryPairs::halves : RotaryPairs::neighbouring,
                                  .rotary = rotary.value_or(RotaryOptions{}),
                                  .init = init.inner,
                                  .out_init = init.residual,
                                  .site = site};
        Block b;
        b.self_norm = Norm(s.in("self_norm"), o);
        b.self = attention_in_block(self, l, s.in("self"), heads);
        b.self_dropout = Dropout(s.in("self_dropout"), o.dropout);
        site.number += static_cast<int64_t>(b.self->sites().size());
        if (crosses_) {
            site.kind = SiteKind::cross;
            site.option = "cross_attention";
            heads.site = site;
            heads.memory = cross.width;
            heads.rotary_base = 0;
            b.cross_norm = Norm(s.in("cross_norm"), o);
            b.cross = attention_in_block(*cross.attention, l, s.in("cross"), heads);
            b.cross_dropout = Dropout(s.in("cross_dropout"), o.dropout);
            site.number += static_cast<int64_t>(b.cross->sites().size());
        }
        if (o.feed_forward) {
            b.ffn_norm = Norm(s.in("ffn_norm"), o);
            b.ffn = FeedForward(s.in("ffn"), o, init.inner, init.residual);
            b.ffn_dropout = Dropout(s.in("ffn_dropout"), o.dropout);
        }
        blocks_.push_back(std::move(b));
    }
    if (o.norm_place == "pre")
        last_ = Norm(scope.in("norm"), o);
}

template <class F>
Tensor BlockStack::residual(const Tensor& x, const Norm& norm, const Dropout& dropout, const Context& context,
                            const F& part) const {
    if (options_.norm_place == "pre")
        return add(x, dropout(part(norm(x)), context));
    return norm(add(x, dropout(part(x), context)));
}

Output BlockStack::operator()(const Tensor& x, std::span<const int32_t> lengths, const Tensor& memory,
                              std::span<const int32_t> memory_lengths, const Pass& pass) const {
    // What a recomputed block refers to must live as long as the graph: lengths are copied, the
    // memory is an input.
    const Array<int32_t> own(lengths.begin(), lengths.end()), others(memory_lengths.begin(), memory_lengths.end());
    Output out{x};
    for (const Block& b : blocks_) {
        const auto run = [this, &b, own, others, pass](const Tensor& in, const Tensor& other) {
            Sightings seen;
            const auto value = [&seen](Output o) {
                append(seen, std::move(o.seen));
                return std::move(o.value);
            };
            Tensor h = residual(in, b.self_norm, b.self_dropout, pass,
                                [&](const Tensor& z) { return value((*b.self)(z, own, pass)); });
            if (crosses_)
                h = residual(h, b.cross_norm, b.cross_dropout, pass,
                             [&](const Tensor& z) { return value((*b.cross)(z, b.cross->prepare(other, others), 0, pass)); });
            if (options_.feed_forward)
                h = residual(h, b.ffn_norm, b.ffn_dropout, pass, b.ffn);
            return Output{std::move(h), std::move(seen)};
        };
        if (options_.recompute && pass.training()) {  // nothing is kept then: hard attention is refused with recomputation
            out.value = recompute(out.value, memory, [run](const Tensor& in, const Tensor& z) { return run(in, z).value; });
        } else {
            Output next = run(out.value, memory);
            out.value = std::move(next.value);
            append(out.seen, std::move(next.seen));
        }
    }
    if (options_.norm_place == "pre")
        out.value = last_(out.value);
    return out;
}

bool BlockStack::reads_distances() const {
    return std::ranges::any_of(blocks_, [](const Block& b) { return b.self->reads_distances(); });
}

std::vector<const HardChoice*> BlockStack::hard() const {
    std::vector<const HardChoice*> all;
    for (const Block& b : blocks_)
        for (const BlockAttention* part : {b.self.get(), b.cross.get()})
            if (part != nullptr)
                for (const HardChoice* head : part->hard()) all.push_back(head);
    return all;
}

Sites BlockStack::sites() const {
    Sites all;
    for (const Block& b : blocks_)
        for (const BlockAttention* part : {b.self.get(), b.cross.get()})
            if (part != nullptr)
                for (Site& site : part->sites()) all.push_back(std::move(site));
    return all;
}

StackCache StackCache::select(std::span<const int32_t> rows) const {
    StackCache out;
    for (const KeyValues& kv : past) out.past.push_back(kv.select(rows));
    for (const KeyValues& kv : memory) out.memory.push_back(kv.select(rows));
    return out;
}

StackCache BlockStack::begin(const Tensor& memory, std::span<const int32_t> lengths) const {
    StackCache cache;
    cache.past.resize(blocks_.size());
    if (crosses_)
        for (const Block& b : blocks_) cache.memory.push_back(b.cross->prepare(memory, lengths));
    return cache;
}

Output BlockStack::extend(const Tensor& x, StackCache& cache, const Pass& pass) const {
    Output out{x};
    const auto value = [&out](Output o) {
        append(out.seen, std::move(o.seen));
        return std::move(o.value);
    };
    Tensor& y = out.value;
    for (std::size_t l = 0; l < blocks_.size(); ++l) {
        const Block& b = blocks_[l];
        const int64_t position = cache.past[l].positions;
        y = residual(y, b.self_norm, b.self_dropout, pass,
                     [&](const Tensor& z) { return value(b.self->extend(z, cache.past[l], pass)); });
        if (crosses_)
            y = residual(y, b.cross_norm, b.cross_dropout, pass,
                         [&](const Tensor& z) { return value((*b.cross)(z, cache.memory[l], position, pass)); });
        if (options_.feed_forward)
            y = residual(y, b.ffn_norm, b.ffn_dropout, pass, b.ffn);
    }
    if (options_.norm_place == "pre")
        y = last_(y);
    return out;
}

}  // namespace attend::ATTEND_PRECISION
