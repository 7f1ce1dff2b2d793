// Whole runs with hard attention: equal bits for any number of threads and for a run that was cut
// off, evaluation, refusals.
#include <doctest/doctest.h>

#include <cmath>

#include "core/engine.h"
#include "nn/estimators/observed.h"
#include "tests/train/commands.h"
#include "tests/train/run_support.h"
#include "train/experiment/assemble.h"
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
    {luong, select("\"coupled\"")},
    {luong, select(R"({"type": "unordered_set", "k": 2})")},
    {select(R"({"type": "imle", "samples": 2})")},
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

TEST_CASE("what is observed of hard choices changes no bit of training, nor do threads of what is observed") {
    const SmallRun runs;
    const auto all_but_clock = [&](const std::string& run) {
        std::string text;
        for (Json line : runs.metrics(run)) {
            line.erase("seconds");
            line.erase("tokens_per_second");
            text += line.dump() + "\n";
        }
        return text;
    };
    for (std::size_t i = 0; i < forms.size(); ++i) {
        CAPTURE(i);
        const std::string number = std::to_string(i);
        const auto with = [&](const std::string& more) {
            Strings set = forms[i];
            set.push_back(more);
            return set;
        };
        runs.run("always" + number, with("train.log_every=1"), 1);
        runs.run("again" + number, with("train.log_every=1"), 2);
        runs.run("once" + number, with("train.log_every=1000"), 1);
        CHECK(runs.model("always" + number) == runs.model("once" + number));
        CHECK(runs.text("always" + number + "/checkpoints/last/optimizer.safetensors") ==
              runs.text("once" + number + "/checkpoints/last/optimizer.safetensors"));
        CHECK(contains(all_but_clock("always" + number), "choice_entropy"));
        CHECK(all_but_clock("always" + number) == all_but_clock("again" + number));
    }
    runs.run("soft", {luong, "train.log_every=1"});
    CHECK_FALSE(contains(runs.text("soft/metrics.jsonl"), "choice"));
}

TEST_CASE("training lines of hard attention: entropy, both objectives, advantages, the share of choices") {
    const SmallRun runs;
    // The training line of a step.
    const auto line = [&](const std::string& run, int64_t step) {
        for (const Json& l : runs.metrics(run))
            if (l["split"] == "train" && l["step"] == step)
                return l;
        return Json();
    };
    const Strings every = {luong, "train.log_every=1", "model.dropout=0"};
    const auto with = [&](const std::string& estimator, const std::string& more = "") {
        Strings set = every;
        set.push_back(select(estimator, more));
        return set;
    };
    runs.run("marginal", with("\"exact\""));
    const Json exact = line("marginal", 3);
    CHECK(exact["marginal_loss"].get<double>() == doctest::Approx(exact["loss"].get<double>()).epsilon(1e-5));
    CHECK(exact["expected_loss"].get<double>() > exact["marginal_loss"].get<double>());
    CHECK(exact["choice_entropy"].get<double>() > 0.1);
    CHECK(exact["choice_entropy"].get<double>() < std::log(6.0));
    CHECK_FALSE(exact.contains("advantage_variance"));
    runs.run("expected", with(R"({"type": "exact", "objective": "expected"})"));
    const Json expected = line("expected", 3);
    CHECK(expected["expected_loss"].get<double>() == doctest::Approx(expected["loss"].get<double>()).epsilon(1e-5));

    // The less noise the advantages have, the less of the gradient is noise of the choices.
    runs.run("none", with(R"({"type": "reinforce", "baseline": "none", "samples": 4})"));
    runs.run("others", with(R"({"type": "reinforce", "baseline": "leave_one_out", "samples": 4})"));
    const Json none = line("none", 1), others = line("others", 1);
    CHECK(none["advantage_variance"].get<double>() > others["advantage_variance"].get<double>());
    CHECK(none["choice_gradient_share"].get<double>() > others["choice_gradient_share"].get<double>());
    CHECK(others["choice_gradient_share"].get<double>() > 0);
    CHECK(none["choice_gradient_share"].get<double>() < 1);
    CHECK(none["choice_entropy"] == others["choice_entropy"]);  // the same weights
    CHECK(others["marginal_loss"] == line("marginal", 1)["marginal_loss"]);

    // With soft steps there is no choice at first; a relaxed one holds nothing fixed.
    runs.run("late", with("\"gumbel_softmax\"", R"(, "soft_steps": 4)"));
    CHECK_FALSE(line("late", 4).contains("choice_entropy"));
    CHECK(line("late", 5).contains("choice_entropy"));
    CHECK_FALSE(line("late", 5).contains("choice_gradient_share"));
    // Where what is read goes into later steps there are no two objectives to compute.
    runs.run("fed", {select("\"reinforce\""), "train.log_every=1"});
    CHECK(line("fed", 1).contains("choice_gradient_share"));
    CHECK_FALSE(line("fed", 1).contains("marginal_loss"));
}

TEST_CASE("the direct part of an estimate is its gradient where choices have no part in it, and 0 where only they have") {
    const SmallRun runs;
    for (const char* estimator : {"\"reinforce\"", "\"exact\"", R"({"type": "sum_and_sample", "k": 1})", "\"rebar\"",
                                  "\"coupled\"", "\"unordered_set\"", R"({"type": "imle", "lambda": 100})"}) {
        CAPTURE(estimator);
        const Experiment e = runs.request("none", {luong, "model.dropout=0", select(estimator)}).experiment;
        const auto task = task_table().build(e.data, TaskSetup{.seed = 3, .saved = "", .load_data = true});
        const ModelInStore made = make_model(e, *task);
        const Batch batch = task->batches(Split::train, {.batch = 9, .seed = 3, .shuffled = true})->at(0);
        const LossOptions options{.normaliser = static_cast<double>(batch.targets()), .ignored = id_ignored};
        const auto gradient = [&](const Estimator& of, const char* parameter) {
            Gradients all(*made.store);
            backward(made.model->estimate(of, score_input(batch), options, {.mode = Mode::train, .seed = 5}).loss, all);
            all.finish();
            std::vector<real> out;
            for (const Parameter& p : made.store->table())
                if (p.name.starts_with(parameter))
                    out.insert(out.end(), all.data() + p.offset, all.data() + p.offset + p.shape.size());
            return out;
        };
        ObservedSums sums;
        const Observed observed(*made.model->estimator(), sums);
        const std::vector<real> head = gradient(*made.model->estimator(), "head."), direct = gradient(observed, "head.");
        REQUIRE(head.size() == direct.size());
        REQUIRE(!head.empty());
        for (std::size_t i = 0; i < head.size(); ++i)
            CHECK(static_cast<double>(direct[i]) == doctest::Approx(static_cast<double>(head[i])).epsilon(1e-4));
        double score = 0, direct_score = 0;
        for (const real x : gradient(*made.model->estimator(), "attention.")) score += std::abs(static_cast<double>(x));
        for (const real x : gradient(observed, "attention.score.")) direct_score += std::abs(static_cast<double>(x));
        CHECK(score > 0);
        CHECK(direct_score == 0);
        CHECK(sums.choices == 2 * batch.targets());  // of two gradients; every target chooses once
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
