/// Randomised positions and positions beyond training: what is drawn, and what must not depend on anything else.
#include "nn/models/positions.h"

#include <doctest/doctest.h>

#include <cmath>
#include <map>
#include <set>

#include "core/engine.h"
#include "tests/nn/gpt_forms.h"

namespace positions_test_both {

using namespace attend;
using testing::gpt_vocabulary;
using testing::random_text;
using testing::randomised;
using testing::scaled_rotary;

TEST_SUITE_BEGIN("positions");

namespace {

Context training(uint32_t step = 0, int64_t first_row = 0) {
    Context c;
    c.mode = Mode::train;
    c.seed = 3;
    c.step = step;
    c.first_row = first_row;
    return c;
}

Positions positions_of(const Selection& choice, int64_t length, Reads reads = Reads::whole) {
    ParameterStore store(5);
    return Positions(Scope(store, "position"), choice, {.length = length, .width = 4, .reads = reads});
}

// The numbers of one row.
std::vector<int32_t> numbers_of(const Pass& pass, int64_t row, int64_t count) {
    std::vector<int32_t> out;
    for (int64_t t = 0; t < count; ++t) out.push_back(static_cast<int32_t>(pass.numbering->at(row, t)));
    return out;
}

struct Trained {
    std::vector<real> losses, gradients;
    bool operator==(const Trained&) const = default;
};

Trained trained(const GptOptions& o, const Ids& input, const Ids& target, const Context& context) {
    ParameterStore store(5);
    const Gpt model(o, Scope(store), {0, gpt_vocabulary});
    Gradients gradients(store);
    const Scored s = model.score({{}, input, target}, LossOptions{}, context);
    if (context.training())
        backward(s.loss, gradients);
    gradients.finish();
    return {s.target_loss.values(), {gradients.data(), gradients.data() + gradients.size()}};
}

GptOptions small(const Selection& positions, const char* bias = "none") {
    GptOptions o = testing::gpt_forms().front().options;
    o.positions = positions;
    choose_factor(o.attention, &AttentionOptions::bias, bias);
    return o;
}

}  // namespace

TEST_CASE("randomised positions of a row are distinct numbers below L in order, other ones for each row and step") {
    const Positions p = positions_of(randomised("none", 50), 12);
    const Array<int32_t> lengths = {12, 7, 0, 12};
    std::set<std::vector<int32_t>> seen;
    for (uint32_t step = 0; step < 20; ++step) {
        const Pass pass = p.numbered(training(step), lengths, 12);
        for (int64_t row = 0; row < 4; ++row) {
            const std::vector<int32_t> own = numbers_of(pass, row, lengths[static_cast<std::size_t>(row)]);
            for (std::size_t t = 0; t < own.size(); ++t) {
                CHECK((own[t] >= 0 && own[t] < 50));
                CHECK((t == 0 || own[t] > own[t - 1]));
            }
            if (!own.empty())
                CHECK(seen.insert(own).second);
        }
    }
}

TEST_CASE("every set of randomised positions is equally likely") {
    const Positions p = positions_of(randomised("none", 5), 2);
    const int64_t rows = 20000;
    const Array<int32_t> lengths(static_cast<std::size_t>(rows), 2);
    const Pass pass = p.numbered(training(), lengths, 2);
    std::map<std::vector<int32_t>, int64_t> count;
    for (int64_t row = 0; row < rows; ++row) ++count[numbers_of(pass, row, 2)];
    CHECK(count.size() == 10);
    double chi = 0;  // 9 degrees of freedom: above 27.9 once in a thousand times
    for (const auto& [numbers, n] : count) chi += (static_cast<double>(n) - 2000) * (static_cast<double>(n) - 2000) / 2000;
    CHECK(chi < 27.9);
}

TEST_CASE("in evaluation they are spread evenly: a row's by its length, a decoder's by that of the longest sequence") {
    const Array<int32_t> lengths = {3, 1};
    const Pass whole = positions_of(randomised("none", 11), 8).numbered(Pass(), lengths, 3);
    CHECK(numbers_of(whole, 0, 3) == std::vector<int32_t>{2, 5, 8});
    CHECK(numbers_of(whole, 1, 1) == std::vector<int32_t>{5});
    const Positions decoder = positions_of(randomised("none", 17), 8, Reads::step_by_step);
    const std::vector<int32_t> all = {1, 3, 5, 7, 9, 11, 13, 15};
    CHECK(numbers_of(decoder.numbered_to_continue({}), 0, 8) == all);
    CHECK(numbers_of(decoder.numbered(Pass(), lengths, 3), 1, 8) == all);
    CHECK(positions_of(randomised("none", 0), 8).numbered(training(), lengths, 3).numbering == nullptr);
}

TEST_CASE("randomised among as many numbers as the sequence is long they are the plain positions") {
    const Ids input = random_text({8, 8}, 8), target = random_text({8, 8}, 8, "target");
    const double tolerance = sizeof(real) == 4 ? 2e-5 : 1e-12;
    const std::pair<const char*, const char*> cases[] = {{"learned", "none"},  {"sinusoidal", "none"}, {"rotary", "none"},
                                                         {"none", "relative"}, {"none", "t5"},         {"none", "alibi"}};
    for (const auto& [row, bias] : cases)
        for (const Context& context : {training(), Context{}}) {
            CAPTURE(std::string(row));
            CAPTURE(std::string(bias));
            const Trained plain = trained(small(randomised(row, 0), bias), input, target, context);
            const Trained among = trained(small(randomised(row, 8), bias), input, target, context);
            for (std::size_t i = 0; i < plain.losses.size(); ++i)
                CHECK(std::abs(static_cast<double>(plain.losses[i] - among.losses[i])) <= tolerance);
            for (std::size_t i = 0; i < plain.gradients.size(); ++i)
                CHECK(std::abs(static_cast<double>(plain.gradients[i] - among.gradients[i])) <= tolerance);
            CHECK(trained(small(randomised(row, 30), bias), input, target, context).losses != plain.losses);
        }
}

TEST_CASE("randomised positions know neither shards nor padding, and are not drawn again by recomputed blocks") {
    const Ids input = random_text({8, 5, 8, 3}, 8), target = random_text({8, 5, 8, 3}, 8, "target");
    for (const char* row : {"learned", "rotary"}) {
        CAPTURE(std::string(row));
        GptOptions o = small(randomised(row, 40));
        o.context = 10;
        const Trained whole = trained(o, input, target, training());
        o.blocks.recompute = true;
        CHECK(trained(o, input, target, training()) == whole);
        o.blocks.recompute = false;
        for (int64_t r = 0; r < 4; ++r) {
            Ids one(1, 10), other(1, 10);  // a shard of one row, in a wider batch
            one.lengths[0] = other.lengths[0] = input.lengths[static_cast<std::size_t>(r)];
            for (int64_t t = 0; t < input.length(r); ++t) one.at(0, t) = input.at(r, t), other.at(0, t) = target.at(r, t);
            const Trained alone = trained(o, one, other, training(0, r));
            for (int64_t t = 0; t < input.length(r); ++t)
                CHECK(static_cast<double>(alone.losses[static_cast<std::size_t>(t)]) ==
                      doctest::Approx(static_cast<double>(whole.losses[static_cast<std::size_t>(r * 8 + t)]))
                          .epsilon(sizeof(real) == 4 ? 2e-5 : 1e-12));
        }
        CHECK(trained(o, input, target, training(1)).losses != whole.losses);
    }
}

TEST_CASE("a scaling by the factor 1 has the bits of none, and another factor has not") {
    const Ids input = random_text({8, 8}, 8), target = random_text({8, 8}, 8, "target");
    const Trained none = trained(small(Selection(positions_table(), "rotary")), input, target, training());
    const RotaryTurns unscaled = rotary_turns(8, {});
    for (const auto& [name, scaling] : {std::pair("linear", RotaryScaling::linear), std::pair("ntk", RotaryScaling::ntk),
                                        std::pair("yarn", RotaryScaling::yarn)}) {
        CAPTURE(std::string(name));
        const RotaryTurns turns = rotary_turns(8, {.scaling = scaling, .factor = 1, .original = 8});
        CHECK(turns.frequencies == unscaled.frequencies);
        CHECK(turns.length == unscaled.length);
        CHECK(trained(small(scaled_rotary(name, 2)), input, target, training()).losses != none.losses);
    }
}

TEST_CASE("options of positions that do not go together are refused with the numbers") {
    const auto message = [](const Selection& positions, int64_t heads = 2) {
        try {
            GptOptions o = small(positions);
            o.blocks.heads = heads;
            ParameterStore store(5);
            const Gpt model(o, Scope(store), {0, gpt_vocabulary});
        } catch (const Error& e) {
            return std::string(e.what());
        }
        return std::string();
    };
    CHECK(message(randomised("rotary", 7)) ==
          "model.positions: the longest sequence needs as many numbers: randomised 7, longest sequence 8");
    CHECK(message(scaled_rotary("none", 2)) ==
          "positions 'rotary': a factor without a scaling: factor 2, scaling 'none'; 'linear', 'ntk' and 'yarn' use one");
    for (const char* scaling : {"linear", "ntk", "yarn"})
        CHECK(message(scaled_rotary(scaling, 1)) == fmt::format("positions 'rotary': a scaling without a factor: scaling '{}', "
                                                                "factor 1; the longest sequence divided by that of training",
                                                                scaling));
    Selection original = scaled_rotary("ntk", 2);
    original.as<RotaryRowOptions>().original = 4;
    CHECK(message(original) ==
          "positions 'rotary': only scaling 'yarn' reads the length of training: original 4, scaling 'ntk'");
    CHECK(message(scaled_rotary("ntk", 2), 4) ==
          "rotary: scaling 'ntk' keeps the first pair's wave as it is, so it needs a second pair: head size 2, at least 4");
    Selection idle = scaled_rotary("linear", 2);
    idle.as<RotaryRowOptions>().ramp = {3, 5};
    CHECK(message(idle) == "positions 'rotary': only scaling 'yarn' reads a ramp: ramp [3, 5], scaling 'linear'");
    Selection drawn = scaled_rotary("yarn", 2);
    static_cast<RandomisedOptions&>(drawn.as<RotaryRowOptions>()).randomised = 64;
    CHECK(message(drawn).starts_with("positions 'rotary': with randomised positions yarn has to be told the largest number"));
    drawn.as<RotaryRowOptions>().original = 64;
    CHECK(message(drawn) == "");
    CHECK(message(randomised("none", 64)).starts_with("model.positions: nothing reads the numbers of randomised positions"));
    Selection ramp = scaled_rotary("yarn", 2);
    ramp.as<RotaryRowOptions>().ramp = {2, 1};
    CHECK(message(ramp) ==
          "rotary: scaling 'yarn' needs a length of training and two ascending numbers of turns: original 4, slow 2, fast 1");
}

TEST_SUITE_END();

}  // namespace positions_test_both
