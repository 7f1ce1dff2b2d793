// What a run must not pass over in silence: a ruined model, outputs cut short, other data, lines
// written twice.
#include <doctest/doctest.h>

#include <cmath>
#include <filesystem>
#include <sstream>

#include "tests/train/commands.h"
#include "tests/train/run_support.h"

namespace run_honesty_test {

TEST_SUITE_BEGIN("train: run honesty");

using namespace attend;
using attend::testing::attend_command;
using attend::testing::contains;
using attend::testing::message_of;
using attend::testing::Outcome;
using attend::testing::SmallRun;
namespace fs = std::filesystem;

namespace {

std::size_t count(const std::string& text, const std::string& part) {
    std::size_t n = 0;
    for (std::size_t at = 0; (at = text.find(part, at)) != std::string::npos; at += part.size()) ++n;
    return n;
}

// Trains until `done` steps are done, then stops and saves.
TrainRequest stopped_at(const SmallRun& runs, const std::string& name, int64_t steps, const std::vector<std::string>& set) {
    TrainRequest r = runs.request(name, set);
    int64_t done = 0;
    r.after_step = [&](int64_t step) { done = step; };
    r.stop = [&] { return done == steps; };
    CHECK(train(r).status == Status::stopped);
    r.after_step = nullptr;
    r.stop = nullptr;
    r.existing = Existing::resume;
    return r;
}

}  // namespace

TEST_CASE("a run whose last update ruined the model has diverged, not finished") {
    const SmallRun runs;
    const std::vector<std::string> set = {"optimizer={\"type\": \"sgd\", \"learning_rate\": 1000, \"weight_decay\": 1000}",
                                          "schedule=constant", "train.clip_norm=0", "train.evaluate_every=1000"};
    int64_t diverges_at = 0;  // steps that can be taken before one of them fails
    try {
        runs.run("a", set);
    } catch (const Diverged&) {
        diverges_at = runs.summary("a")["steps"].get<int64_t>();
    }
    REQUIRE(diverges_at >= 1);
    std::vector<std::string> shorter = set;
    shorter.push_back(fmt::format("train.steps={}", diverges_at));
    const std::string message = message_of<Diverged>([&] { runs.run("b", shorter); });
    CHECK(contains(message, fmt::format("step {}", diverges_at + 1)));  // where it is met, by op and module
    CHECK(contains(message, "op '"));
    CHECK(runs.summary("b")["status"] == "diverged");
    CHECK(fs::exists(runs / "b/bundle.safetensors"));
    CHECK(!fs::exists(runs / "b/checkpoints/best"));
}

TEST_CASE("outputs that were cut are counted and said") {
    const SmallRun runs;
    runs.run("a", {"decode.max_length=1", "train.steps=2"});
    const std::string run = (runs / "a").string();
    CHECK(contains(attend_command({"eval", run}).error, " of 10 outputs were cut before they ended (decode.max_length)"));
    const Outcome translated = attend_command({"translate", run}, "0 1 2\n\n1 2\n");
    CHECK(translated.code == 0);
    CHECK(contains(translated.error, "outputs cut before they ended (decode.max_length): 2, the first of line 1"));
    runs.run("b", {"train.steps=200", "model.hidden=24", "model.dropout=0"});
    CHECK(!contains(attend_command({"translate", (runs / "b").string()}, "0 1 2\n").error, "cut before they ended"));
}

TEST_CASE("a run that was stopped off a line of metrics and resumed at its end writes that line as it would have been") {
    const SmallRun runs;
    TrainRequest r = stopped_at(runs, "a", 7, {"train.log_every=5", "train.steps=7"});
    train(r);
    runs.run("b", {"train.log_every=5", "train.steps=7"});
    const auto train_lines = [&](const char* name) {
        std::vector<Json> lines;
        for (Json line : runs.metrics(name))
            if (line["split"] == "train") {
                line.erase("seconds");
                line.erase("tokens_per_second");
                lines.push_back(line);
            }
        return lines;
    };
    CHECK(train_lines("a") == train_lines("b"));
    // with the same number of steps as were done, which no line was due for
    TrainRequest shorter = stopped_at(runs, "c", 7, {"train.log_every=5", "train.steps=9", "schedule=constant"});
    shorter.experiment.train.steps = 7;
    train(shorter);
    runs.run("d", {"train.log_every=5", "train.steps=7", "schedule=constant"});
    CHECK(train_lines("c") == train_lines("d"));
    CHECK(train_lines("c").back()["lr"].get<double>() > 0);
}

TEST_CASE("a finished run that is resumed draws its picture once") {
    const SmallRun runs;
    runs.run("a");
    TrainRequest again = runs.request("a");
    again.existing = Existing::resume;
    train(again);
    train(again);
    CHECK(count(runs.text("a/samples.txt"), "attention of the first example") == 1);
}

TEST_CASE("a run does not go on with other data than it began with") {
    const SmallRun runs;
    std::ofstream(runs / "x.tsv") << "a b\tb a\nb c\tc b\nc a\ta c\n";
    const std::vector<std::string> set = {"data={\"task\": \"tsv\", \"train\": \"" + (runs / "x.tsv").string() + "\"}",
                                          "train.batch=2", "train.shards=1", "train.steps=6"};
    TrainRequest r = stopped_at(runs, "a", 3, set);
    std::ofstream(runs / "x.tsv") << "a b\ta b\nb c\tb c\nc a\tc a\n";  // the same symbols, other answers
    const std::string message = message_of([&] { train(r); });
    CHECK(contains(message, "not the data that this run was trained on: files [x.tsv 24 "));
    std::ofstream(runs / "x.tsv") << "a b\tb a\nb c\tc b\nc a\ta c\n";
    CHECK(train(r).status == Status::finished);
}

TEST_CASE("patience waits while a metric that stands still is told apart by the loss") {
    const SmallRun runs;
    // exact match stays at 0 for these few steps, the loss falls
    const TrainResult r = runs.run("a", {"train.best_metric=exact_match", "train.patience=2", "train.evaluate_every=2",
                                         "train.steps=12", "data.min_length=5", "optimizer.learning_rate=0.003"});
    const auto lines = runs.metrics("a");
    for (const Json& line : lines)
        if (line["split"] == "valid")
            CHECK(line["exact_match"] == 0);
    CHECK(r.progressed.step == 12);
}

TEST_SUITE_END();

}  // namespace run_honesty_test
