// Whole runs with hard attention: equal bits for any number of threads and for a run that was cut
// off, evaluation, refusals.
#include <doctest/doctest.h>

#include <cmath>

#include "tests/train/commands.h"
#include "tests/train/run_support.h"
#include "train/learn/restored.h"

namespace hard_runs_test {

TEST_SUITE_BEGIN("train: hard attention");

using namespace attend;
using attend::testing::attend_command;
using attend::testing::contains;
using attend::testing::message_of;
using attend::testing::Outcome;
using attend::testing::SmallRun;
using Strings = std::vector<std::string>;

namespace {

struct Killed {};

std::string select(const std::string& estimator, const std::string& more = "") {
    return R"(model.attention.select={"type": "hard", "estimator": )" + estimator + more + "}";
}

const std::string luong = "model.form=luong";

// All that draws, learns or keeps a state of its own.
const std::vector<Strings> forms = {
    {luong, select(R"({"type": "reinforce", "baseline": "learned", "samples": 2})")},
    {select(R"({"type": "reinforce", "baseline": "moving_average", "scale": "running", "entropy": 0.01, "entropy_steps": 9})")},
    {luong, select(R"({"type": "relax", "samples": 2})")},
    {"model.form=luong", "model.input_feeding=true", select("\"variational\"")},
    {select(R"({"type": "gumbel_softmax", "hard": true, "final_temperature": 0.3, "temperature_steps": 10})")},
    {luong, select("\"rebar\"", R"(, "soft_steps": 4)")},
    {luong, select(R"({"type": "sum_and_sample", "k": 1})")},
};

// The last validation line's value of that name.
double last_valid(const SmallRun& runs, const std::string& run, const char* name) {
    double value = NAN;
    for (const Json& line : runs.metrics(run))
        if (line["split"] == "valid" && line.contains(name))
            value = line[name].get<double>();
    return value;
}

}  // namespace

TEST_CASE("with sampling, learned baselines and running statistics neither threads nor a cut change a bit") {
    const SmallRun runs;
    std::string before;
    for (std::size_t i = 0; i < forms.size(); ++i) {
        CAPTURE(forms[i].back());
        const std::string number = std::to_string(i);
        runs.run("one" + number, forms[i], 1);
        runs.run("two" + number, forms[i], 2);
        CHECK(runs.model("one" + number) == runs.model("two" + number));
        CHECK(runs.model("one" + number) != before);
        before = runs.model("one" + number);

        TrainRequest first = runs.request("cut" + number, forms[i]);
        first.after_step = [](int64_t step) {
            if (step == 7)
                throw Killed();
        };
        CHECK_THROWS_AS(train(first), Killed);
        TrainRequest second = runs.request("cut" + number, forms[i]);
        second.existing = Existing::resume;
        second.threads = 2;
        CHECK(train(second).status == Status::finished);
        CHECK(runs.model("cut" + number) == before);
        CHECK(runs.text("cut" + number + "/checkpoints/last/optimizer.safetensors") ==
              runs.text("one" + number + "/checkpoints/last/optimizer.safetensors"));
    }
}

TEST_CASE("choices do not depend on the shards") {
    // The same draws whichever way the batch is cut: losses differ by rounding alone.
    const SmallRun runs;
    runs.run("four", {luong, select("\"reinforce\""), "train.shards=4", "train.steps=1", "model.dropout=0"});
    runs.run("one", {luong, select("\"reinforce\""), "train.shards=1", "train.steps=1", "model.dropout=0"});
    const double a = last_valid(runs, "four", "loss"), b = last_valid(runs, "one", "loss");
    CHECK(std::abs(a - b) < 1e-4);
    CHECK(a > 1);
}

TEST_CASE("what is read in evaluation: one position, or all and their predictions summed") {
    const SmallRun runs;
    const Strings common = {luong, "train.steps=60", "train.evaluate_every=60"};
    const auto with = [&](const std::string& more) {
        Strings set = common;
        set.push_back(select("\"exact\"", more));
        return set;
    };
    runs.run("likeliest", with(""));
    runs.run("drawn", with(R"(, "evaluate": "drawn")"));
    runs.run("marginal", with(R"(, "evaluate": "marginal")"));
    // How a model is evaluated changes nothing of its training.
    CHECK(runs.model("likeliest") == runs.model("drawn"));
    CHECK(runs.model("likeliest") == runs.model("marginal"));
    // log sum_a p(a) p(y|a) is what was trained: better than a drawn position (Jensen), and than
    // the likeliest here.
    CHECK(last_valid(runs, "marginal", "loss") < last_valid(runs, "drawn", "loss"));
    CHECK(last_valid(runs, "marginal", "loss") < last_valid(runs, "likeliest", "loss"));
    // Of what is chosen from: the same weights whatever is read.
    const double entropy = last_valid(runs, "marginal", "attention_entropy");
    CHECK(entropy > 0.1);
    CHECK(last_valid(runs, "likeliest", "attention_entropy") == doctest::Approx(entropy));
    CHECK(last_valid(runs, "drawn", "attention_entropy") == doctest::Approx(entropy));
    const Outcome decoded = attend_command({"translate", (runs / "marginal").string()}, "a b c\n");
    CHECK(decoded.code == 0);
}

TEST_CASE("transformers learn with hard attention at all of their sites, the same with two threads") {
    const SmallRun runs;
    const Strings set = {
        R"(model={"type": "transformer_seq2seq", "layers": 1, "width": 8, "heads": 2, "cross_attention": {"select": "hard"},
                            "attention": {"window": "causal", "select": "hard"}, "encoder_attention": {"select": "hard"}})"};
    runs.run("one", set, 1);
    runs.run("two", set, 2);
    CHECK(runs.model("one") == runs.model("two"));
    CHECK(std::isfinite(last_valid(runs, "one", "loss")));
}

TEST_CASE("what does not go together is refused, both sides named") {
    const SmallRun runs;
    const auto message = [&](const Strings& set) { return message_of([&] { runs.run("refused", set); }); };
    CHECK(contains(message({select("\"exact\"")}), "form 'bahdanau', input_feeding false; it is for form 'luong'"));
    CHECK(contains(message({luong, "model.input_feeding=true", select("\"rebar\"")}), "input_feeding true"));
    CHECK(contains(message({select("\"reinforce\"", R"(, "evaluate": "marginal")")}),
                   "evaluate 'marginal' sums over the positions"));
    CHECK(contains(message({luong, select(R"({"type": "reinforce", "baseline": "leave_one_out", "samples": 1})")}),
                   "baseline 'leave_one_out' needs more samples: samples 1, least 2"));
    CHECK(contains(message({R"(model={"type": "transformer_seq2seq", "layers": 1, "width": 8, "heads": 2,
                                "cross_attention": {"select": {"type": "hard", "estimator": "exact"}}})"}),
                   "this estimator is for one choice in each step"));
    CHECK(contains(message({R"(model={"type": "transformer_seq2seq", "layers": 1, "width": 8, "heads": 2,
                                "cross_attention": {"select": "hard"}, "encoder_attention": {"select": {"type": "hard", "estimator": "gumbel_softmax"}}})"}),
                   "all of its hard attention has one estimator"));
    if constexpr (sizeof(real) == sizeof(double)) {  // the float build would become the double one
        std::ofstream(runs / "hard.json") << attend::testing::small_config;
        const Outcome checked =
            attend_command({"check", (runs / "hard.json").string(), "--set", luong, "--set", select("\"reinforce\"")});
        CHECK(checked.code == 2);
        CHECK(contains(checked.error, "has an estimate of a gradient"));
    }
}

TEST_SUITE_END();

}  // namespace hard_runs_test
