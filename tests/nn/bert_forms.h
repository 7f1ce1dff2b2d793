#pragma once
/// Small encoders of every form and with every head, for the tests of what must hold for all of
/// them.
#include <string>
#include <vector>

#include "nn/models/bert.h"
#include "tests/nn/gpt_forms.h"

namespace attend::ATTEND_PRECISION::testing {

constexpr int64_t bert_vocabulary = gpt_vocabulary;

/// What the tasks of encoders say of themselves.
constexpr ModelSetup masked_words = {0, bert_vocabulary, TargetKind::masked, 0},
                     masked_pairs = {0, bert_vocabulary, TargetKind::masked, 2},
                     labelled_rows = {0, bert_vocabulary, TargetKind::none, 3};

struct BertForm {
    std::string name;
    BertOptions options;
    ModelSetup setup;
};

inline std::vector<BertForm> bert_forms() {
    std::vector<BertForm> all;
    const auto form = [&](const char* name, const ModelSetup& setup, auto change) {
        BertOptions o;
        o.blocks.layers = 2;
        o.blocks.heads = 2;
        o.blocks.width = 8;
        o.blocks.ffn = 6;
        o.context = 8;
        o.init = 0.3;
        change(o);
        all.push_back({name, o, setup});
    };
    form("masked words", masked_words, [](BertOptions&) {});
    form("masked words and next sentence", masked_pairs, [](BertOptions&) {});
    form("labels", labelled_rows, [](BertOptions&) {});
    form("masked pairs, pre-norm, rms, swiglu, rotary, no bias", masked_pairs, [](BertOptions& o) {
        o.blocks.norm_place = "pre";
        o.blocks.norm = "rms";
        o.blocks.activation = "swiglu";
        o.blocks.bias = false;
        o.positions.choose("rotary");
    });
    form("labels, recomputed, sinusoidal, gelu_tanh", labelled_rows, [](BertOptions& o) {
        o.blocks.recompute = true;
        o.blocks.activation = "gelu_tanh";
        o.positions.choose("sinusoidal");
    });
    form("masked pairs, additive heads, sparsemax, relu, no positions", masked_pairs, [](BertOptions& o) {
        choose_factor(o.attention, &AttentionOptions::score, "additive");
        choose_factor(o.attention, &AttentionOptions::align, "sparsemax");
        o.blocks.activation = "relu";
        o.positions.choose("none");
    });
    form("labels, differential, gated by head", labelled_rows, [](BertOptions& o) {
        change_factors(o.attention, [](auto& a) {
            a.gate = "headwise";
            a.differential = true;
        });
    });
    form("masked pairs, randomised, rotary", masked_pairs, [](BertOptions& o) { o.positions = randomised("rotary", 30); });
    form("labels, randomised, learned", labelled_rows, [](BertOptions& o) { o.positions = randomised("learned", 12); });
    form("masked words, linear attention", masked_words,
         [](BertOptions& o) { o.attention = Pattern(attention_table(), "linear"); });
    return all;
}

/// Rows of 5, 3 and 6 ids in two texts. Two targets a row, or one, where the setup has targets;
/// labels where it has classes.
struct BertSample {
    Ids input, target, segments;
    std::vector<int32_t> labels;

    explicit BertSample(const ModelSetup& setup) : input(random_text({5, 3, 6}, 6)), target(3, 6), segments(3, 6) {
        target.lengths = segments.lengths = input.lengths;
        target.values.assign(target.values.size(), -1);
        for (int64_t r = 0; r < 3; ++r)
            for (int64_t t = 2; t < input.length(r); ++t) segments.at(r, t) = 1;
        if (setup.targets == TargetKind::masked) {
            target.at(0, 1) = 4;
            target.at(0, 4) = 9;
            target.at(1, 2) = 0;
            target.at(2, 3) = 5;
            target.at(2, 5) = 10;
        }
        for (int32_t r = 0; r < 3 && setup.classes > 0; ++r)
            labels.push_back((2 * r + 1) % static_cast<int32_t>(setup.classes));
    }
    ScoreInput whole() const { return {no_ids, input, target, segments, labels}; }
};

}  // namespace attend::ATTEND_PRECISION::testing
