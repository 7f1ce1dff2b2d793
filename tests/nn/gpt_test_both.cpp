/// What must hold for every form of the language model, whatever its weights. More of it, for every
/// model: tests/train/prove_test.cpp.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "core/engine.h"
#include "tests/nn/gpt_forms.h"

namespace gpt_test_both {

using namespace attend;
using testing::gpt_vocabulary;
using testing::random_text;

TEST_SUITE_BEGIN("gpt");

namespace {

const double rounding = sizeof(real) == 4 ? 2e-5 : 1e-13;

Tensor losses(const Gpt& model, const Ids& input, const Ids& target) {
    return model.score({{}, input, target}, LossOptions{}, Context{}).target_loss;
}

}  // namespace

TEST_CASE("generation step by step gives the losses of the whole, from every prefix on") {
    for (const testing::GptForm& f : testing::gpt_forms()) {
        CAPTURE(f.name);
        ParameterStore store(5);
        const Gpt model(f.options, Scope(store), {0, gpt_vocabulary});
        const Ids input = random_text({8, 8}, 8), target = random_text({8, 8}, 8, "target");
        const Tensor whole = losses(model, input, target);
        for (const int64_t written : {0, 1, 5}) {
            CAPTURE(written);
            Ids prefix(2, written);
            for (int64_t r = 0; r < 2; ++r) {
                prefix.lengths[static_cast<std::size_t>(r)] = static_cast<int32_t>(written);
                for (int64_t t = 0; t < written; ++t) prefix.at(r, t) = input.at(r, t);
            }
            std::unique_ptr<DecoderState> state = model.start(prefix, {});
            for (int64_t t = written; t < 8; ++t) {
                const std::vector<int32_t> ids = {input.at(0, t), input.at(1, t)};
                const Tensor logits = model.advance(*state, ids, {}).logits;
                REQUIRE(logits.shape() == Shape({2, gpt_vocabulary}));
                for (int64_t r = 0; r < 2; ++r) {
                    const real* row = logits.data() + r * gpt_vocabulary;
                    double sum = 0;
                    for (int64_t v = 0; v < gpt_vocabulary; ++v) sum += std::exp(static_cast<double>(row[v]));
                    const double loss = std::log(sum) - static_cast<double>(row[target.at(r, t)]);
                    CHECK(loss == doctest::Approx(static_cast<double>(whole.data()[r * 8 + t])).epsilon(rounding));
                }
                if (t == 4) {  // rows may be repeated, dropped and put into another order
                    const std::vector<int32_t> order = {1, 0, 1}, back = {1, 2};
                    state = state->select(order)->select(back);
                }
            }
        }
    }
}

TEST_CASE("a text longer than the context goes on from the last half of it") {
    GptOptions o = testing::gpt_forms().front().options;
    ParameterStore store(5);
    const Gpt model(o, Scope(store), {0, gpt_vocabulary});
    const Ids text = random_text({12}, 12);
    const auto state = model.start(Ids(1, 0), {});
    Tensor last;
    for (int64_t t = 0; t < 12; ++t) last = model.advance(*state, {&text.values[static_cast<std::size_t>(t)], 1}, {}).logits;
    // The context of 8 was full before symbol 8: the model then saw symbols 4 to 7, and by now 4 to
    // 11.
    Ids seen(1, 7);
    seen.lengths[0] = 7;
    std::copy_n(text.row(0) + 4, 7, seen.values.begin());
    const auto again = model.start(seen, {});
    const Tensor expected = model.advance(*again, {text.row(0) + 11, 1}, {}).logits;
    for (int64_t v = 0; v < gpt_vocabulary; ++v)
        CHECK(static_cast<double>(last.data()[v]) ==
              doctest::Approx(static_cast<double>(expected.data()[v])).epsilon(rounding));
}

TEST_CASE("a stack that computes its blocks again has the same loss and gradients, and keeps less") {
    GptOptions o = testing::gpt_forms().front().options;
    o.blocks.layers = 6;
    o.blocks.dropout = 0.2;
    const Ids input = random_text({8, 6}, 8), target = random_text({8, 6}, 8, "target");
    Context context;
    context.mode = Mode::train;
    const auto gradients_of = [&](bool recompute) {
        o.blocks.recompute = recompute;
        ParameterStore store(5);
        const Gpt model(o, Scope(store), {0, gpt_vocabulary});
        store.freeze("embedding.weight");
        store.freeze("position.weight");
        Gradients gradients(store);
        backward(model.score({{}, input, target}, LossOptions{}, context).loss, gradients);
        gradients.finish();
        return std::vector<real>(gradients.data(), gradients.data() + gradients.size());
    };
    const std::vector<real> kept = gradients_of(false), again = gradients_of(true);
    CHECK(kept == again);
    CHECK(std::count(kept.begin(), kept.end(), real{0}) < static_cast<int64_t>(kept.size()) / 2);
}

TEST_CASE("options that do not go together are refused with the numbers") {
    const auto message = [](auto change, ModelSetup setup = {0, gpt_vocabulary}) {
        GptOptions o = testing::gpt_forms().front().options;
        change(o);
        ParameterStore store(1);
        try {
            const Gpt model(o, Scope(store), setup);
            const Ids nine = random_text({9}, 9);
            model.score({{}, nine, nine}, {}, {});
        } catch (const Error& e) {
            return std::string(e.what());
        }
        return std::string();
    };
    CHECK(message([](GptOptions& o) { o.blocks.heads = 3; }) ==
          "decoder.0.self: the number of heads must divide the width: width 8, heads 3");
    CHECK(message([](GptOptions& o) { o.blocks.heads = 4, o.blocks.key_heads = 3; }) ==
          "decoder.0.self: the number of key-value heads must divide the number of heads: heads 4, key_heads 3");
    CHECK(message([](GptOptions& o) { o.blocks.heads = 8, o.positions.choose("rotary"); })
              .starts_with(
                  "decoder.0.self: rotary positions rotate pairs of elements, so the head size must be even: head size 1 "));
    CHECK(message([](GptOptions& o) { choose_factor(o.attention, &AttentionOptions::window, "global"); }) ==
          "decoder.0.self.heads.0: window 'global' shows a position what it has to predict; 'causal' does not");
    CHECK(message([](GptOptions&) {}, {5, 5}).starts_with("model gpt: it reads one text and continues it"));
    CHECK(message([](GptOptions&) {}) == "model gpt: the input is longer than the context: 9 columns, context 8");
}

TEST_SUITE_END();

}  // namespace gpt_test_both
