#pragma once
/// Small encoder-decoder transformers of every form, for the tests of what must hold for all of
/// them.
#include <string>
#include <vector>

#include "nn/models/transformer_seq2seq.h"
#include "tests/nn/gpt_forms.h"

namespace attend::ATTEND_PRECISION::testing {

struct TransformerForm {
    std::string name;
    TransformerSeq2SeqOptions options;
};

inline std::vector<TransformerForm> transformer_forms() {
    std::vector<TransformerForm> all;
    const auto form = [&](const char* name, auto change) {
        TransformerSeq2SeqOptions o;
        o.blocks.layers = 2;
        o.blocks.heads = 2;
        o.blocks.width = 8;
        o.blocks.ffn = 6;
        o.max_length = 12;
        change(o);
        all.push_back({name, o});
    };
    form("Vaswani 2017", [](TransformerSeq2SeqOptions&) {});
    form("pre-norm, one embedding, learned positions", [](TransformerSeq2SeqOptions& o) {
        o.blocks.norm_place = "pre";
        o.share = "all";
        o.positions.choose("learned");
    });
    form("nothing shared, no bias, rotary, one key head, swiglu", [](TransformerSeq2SeqOptions& o) {
        o.share = "none";
        o.blocks.bias = false;
        o.positions.choose("rotary");
        o.blocks.key_heads = 1;
        o.blocks.activation = "swiglu";
        o.decoder_layers = 1;
    });
    form("relative positions on both sides", [](TransformerSeq2SeqOptions& o) {
        o.positions.choose("none");
        choose_factor(o.encoder_attention, &AttentionOptions::bias, "relative");
        choose_factor(o.attention, &AttentionOptions::bias, "relative");
    });
    form("randomised", [](TransformerSeq2SeqOptions& o) { o.positions = randomised("sinusoidal", 40); });
    form("randomised relative positions on both sides", [](TransformerSeq2SeqOptions& o) {
        o.positions = randomised("none", 40);
        choose_factor(o.encoder_attention, &AttentionOptions::bias, "t5");
        choose_factor(o.attention, &AttentionOptions::bias, "relative");
    });
    form("recomputed, additive cross-attention", [](TransformerSeq2SeqOptions& o) {
        o.blocks.recompute = true;
        choose_factor(o.cross_attention, &AttentionOptions::score, "additive");
        o.scale_embedding = false;
    });
    form("talking encoder, differential decoder, talking and gated on the source", [](TransformerSeq2SeqOptions& o) {
        change_factors(o.encoder_attention, [](auto& a) { a.talking = true; });
        change_factors(o.attention, [](auto& a) { a.differential = true; });
        change_factors(o.cross_attention, [](auto& a) {
            a.gate = "elementwise";
            a.talking = true;
        });
    });
    form("differential on the source",
         [](TransformerSeq2SeqOptions& o) { change_factors(o.cross_attention, [](auto& a) { a.differential = true; }); });
    for (const std::string& kind : state_attentions())
        form(kind.c_str(), [&](TransformerSeq2SeqOptions& o) {
            for (Pattern* attention : {&o.encoder_attention, &o.attention, &o.cross_attention})
                *attention = Pattern(attention_table(), kind);
        });
    return all;
}

}  // namespace attend::ATTEND_PRECISION::testing
