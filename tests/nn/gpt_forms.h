#pragma once
/// Small language models of every form, for the tests of what must hold for all of them.
#include <string>
#include <vector>

#include "nn/models/gpt.h"
#include "tests/oracles/gradient_check.h"

namespace attend::ATTEND_PRECISION::testing {

struct GptForm {
    std::string name;
    GptOptions options;
};

constexpr int64_t gpt_vocabulary = 11;

/// The kinds of attention that read a state (the linear family).
inline std::vector<std::string> state_attentions() {
    std::vector<std::string> all = attention_table().names();
    std::erase_if(all, [](const std::string& name) { return name == "weighted" || name == "none"; });
    return all;
}

/// Changes the factors of all heads of all layers, which were alike.
template <class F>
void change_factors(Pattern& attention, const F& change) {
    Selection all = attention.first();
    change(factors_of(all));
    attention = Pattern(all);
}

/// Positions of that row of the table, randomised among `range` numbers.
inline Selection randomised(const char* row, int64_t range) {
    Selection positions(positions_table(), row);
    (std::string(row) == "rotary" ? static_cast<RandomisedOptions&>(positions.as<RotaryRowOptions>())
                                  : positions.as<RandomisedOptions>())
        .randomised = range;
    return positions;
}

/// Rotary positions of that scaling.
inline Selection scaled_rotary(const char* scaling, double factor) {
    Selection positions(positions_table(), "rotary");
    auto& o = positions.as<RotaryRowOptions>();
    o.scaling = scaling;
    o.factor = factor;
    if (o.scaling == "yarn")
        o.ramp = {0.1, 0.5};  // of a short context
    return positions;
}

/// One of each choice, and each of the choices that interact.
inline std::vector<GptForm> gpt_forms() {
    std::vector<GptForm> all;
    const auto form = [&](const char* name, auto change) {
        GptOptions o;
        o.blocks.layers = 2;
        o.blocks.heads = 2;
        o.blocks.width = 8;
        o.blocks.ffn = 6;
        o.context = 8;
        o.init = 0.3;
        change(o);
        all.push_back({name, o});
    };
    form("gpt-2", [](GptOptions&) {});
    form("gpt-1", [](GptOptions& o) { o.blocks.norm_place = "post"; });
    form("no bias, own head, sinusoidal", [](GptOptions& o) {
        o.blocks.bias = o.tie = false;
        o.positions.choose("sinusoidal");
    });
    form("rotary, rms, swiglu, one key head", [](GptOptions& o) {
        o.blocks.norm = "rms";
        o.blocks.activation = "swiglu";
        o.blocks.key_heads = 1;
        o.positions.choose("rotary");
    });
    form("rotary in neighbouring pairs", [](GptOptions& o) {
        o.positions.choose("rotary");
        o.blocks.rotary_pairs = "neighbouring";
    });
    form("alibi, relu", [](GptOptions& o) {
        o.positions.choose("none");
        o.blocks.activation = "relu";
        choose_factor(o.attention, &AttentionOptions::bias, "alibi");
    });
    form("additive heads, sparsemax, gelu_tanh", [](GptOptions& o) {
        choose_factor(o.attention, &AttentionOptions::score, "additive");
        choose_factor(o.attention, &AttentionOptions::align, "sparsemax");
        o.blocks.activation = "gelu_tanh";
    });
    form("relative", [](GptOptions& o) {
        o.positions.choose("none");
        choose_factor(o.attention, &AttentionOptions::bias, "relative");
    });
    form("attention alone, embeddings of another scale", [](GptOptions& o) {
        o.blocks.feed_forward = false;
        o.embedding_init = 0.5;
        o.tie = false;
    });
    form("recomputed", [](GptOptions& o) { o.blocks.recompute = true; });
    form("t5 buckets, sinks", [](GptOptions& o) {
        o.positions.choose("none");
        choose_factor(o.attention, &AttentionOptions::bias, "t5");
        choose_factor(o.attention, &AttentionOptions::align, "sink");
    });
    form("forgetting, cosine, recomputed", [](GptOptions& o) {
        o.positions.choose("none");
        choose_factor(o.attention, &AttentionOptions::bias, "forget");
        choose_factor(o.attention, &AttentionOptions::score, "cosine");
        o.blocks.recompute = true;
    });
    form("randomised, learned", [](GptOptions& o) { o.positions = randomised("learned", 20); });
    form("randomised, rotary, one key head, recomputed", [](GptOptions& o) {
        o.positions = randomised("rotary", 20);
        o.blocks.key_heads = 1;
        o.blocks.recompute = true;
    });
    for (const char* bias : {"alibi", "relative", "t5"})
        form(bias, [&](GptOptions& o) {
            o.positions = randomised("none", 20);
            choose_factor(o.attention, &AttentionOptions::bias, bias);
        });
    for (const char* scaling : {"linear", "ntk", "yarn"})
        form(scaling, [&](GptOptions& o) { o.positions = scaled_rotary(scaling, 4); });
    form("layers differ: all seen, then blocks", [](GptOptions& o) {
        const Selection whole = transformer_attention("causal"), blocks = transformer_attention("blocks");
        o.attention = Pattern({{whole}, {blocks}});
    });
    form("heads differ: sliding and dilated, one key head", [](GptOptions& o) {
        o.blocks.key_heads = 1;
        o.attention = Pattern({{transformer_attention("sliding"), transformer_attention("dilated")}});
    });
    form("gated by head", [](GptOptions& o) { change_factors(o.attention, [](auto& a) { a.gate = "headwise"; }); });
    form("talking, alibi, one key head, gated", [](GptOptions& o) {
        o.positions.choose("none");
        o.blocks.key_heads = 1;
        change_factors(o.attention, [](auto& a) {
            a.bias.choose("alibi");
            a.gate = "elementwise";
            a.talking = true;
        });
    });
    form("differential, rotary, gated, recomputed", [](GptOptions& o) {
        o.positions.choose("rotary");
        o.blocks.recompute = true;
        change_factors(o.attention, [](auto& a) {
            a.gate = "elementwise";
            a.differential = true;
        });
    });
    for (const std::string& kind : state_attentions())
        form(kind.c_str(), [&](GptOptions& o) {
            o.attention = Pattern(attention_table(), kind);
            o.positions.choose("none");
        });
    return all;
}

/// Ids of rows of these lengths.
inline Ids random_text(std::initializer_list<int32_t> lengths, int64_t columns, const char* name = "text") {
    Stream stream(7, name);
    Ids ids(static_cast<int64_t>(lengths.size()), columns);
    std::copy(lengths.begin(), lengths.end(), ids.lengths.begin());
    for (int64_t r = 0; r < ids.rows; ++r)
        for (int64_t t = 0; t < ids.length(r); ++t) ids.at(r, t) = static_cast<int32_t>(stream.below(gpt_vocabulary));
    return ids;
}

}  // namespace attend::ATTEND_PRECISION::testing
