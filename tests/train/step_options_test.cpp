// What a training step and a run can be told besides their sizes: accumulation, clipping by value,
// averages, limits.
#include <doctest/doctest.h>

#include <cmath>
#include <filesystem>

#include "core/safetensors.h"
#include "tests/train/run_support.h"
#include "train/experiment/assemble.h"
#include "train/experiment/objective.h"
#include "train/learn/step.h"
#include "train/records/resume.h"
#include "train/records/z_score.h"

namespace step_options_test {

TEST_SUITE_BEGIN("train: step options");

using namespace attend;
using attend::testing::contains;
using attend::testing::message_of;
using attend::testing::SmallRun;
namespace fs = std::filesystem;

namespace {

struct Gradient {
    std::vector<real> values;
    StepReport report;
};

// The gradient of the first step on these batches; `cut` rows of the first batch and the rest, or,
// without, the whole.
Gradient gradient_of(const SmallRun& runs, int64_t cut, int64_t shards) {
    const Experiment e = runs.request("none", {"model.dropout=0.3"}).experiment;
    const auto task = task_table().build(e.data, TaskSetup{.seed = 3, .saved = "", .load_data = true});
    const ModelInStore made = make_model(e, *task);
    const auto objective = objective_table().build(e.objective);
    const auto optimizer = optimizer_table().build(e.optimizer, *made.store);
    const auto schedule = schedule_table().build(e.schedule, optimizer->learning_rate(), 100);
    Workers workers(2);
    TrainingStep step({*made.model, *made.store, *objective, *optimizer, *schedule, workers},
                      {.shards = shards, .clip_norm = 0, .clip_value = 0, .seed = 3});
    const Batch whole = task->batches(Split::train, {.batch = 9, .seed = 3, .shuffled = true})->at(0);
    const std::vector<Batch> parts =
        cut > 0 ? std::vector{whole.slice(0, cut), whole.slice(cut, whole.rows())} : std::vector{whole};
    Gradient g;
    g.report = step.run(0, parts);
    g.values.assign(step.gradient(), step.gradient() + made.store->size());
    return g;
}

// The values of every parameter in a checkpoint, one after another.
std::vector<double> parameters(const fs::path& checkpoint) {
    const SafetensorsFile file(checkpoint / "model.safetensors");
    std::vector<double> all;
    for (const TensorInfo& t : file.tensors()) {
        std::vector<real> values(static_cast<std::size_t>(t.shape.size()));
        file.read_into(t.name, values.data(), t.shape);
        all.insert(all.end(), values.begin(), values.end());
    }
    return all;
}

std::size_t step_folders(const fs::path& run) {
    std::size_t count = 0;
    for (const auto& entry : fs::directory_iterator(run / "checkpoints"))
        count += entry.path().filename().string().starts_with("step-");
    return count;
}

}  // namespace

TEST_CASE("the gradient accumulated over batches is that of their rows in one batch, dropout included") {
    const SmallRun runs;
    const Gradient whole = gradient_of(runs, 0, 1);
    for (const auto& [cut, shards] : {std::pair<int64_t, int64_t>{4, 1}, {1, 1}, {4, 3}}) {
        CAPTURE(cut);
        CAPTURE(shards);
        const Gradient parts = gradient_of(runs, cut, shards);
        CHECK(parts.report.counts.targets == whole.report.counts.targets);
        CHECK(parts.report.sums.targets == doctest::Approx(whole.report.sums.targets).epsilon(1e-5));
        double difference = 0, norm = 0;
        for (std::size_t i = 0; i < whole.values.size(); ++i) {
            difference += std::pow(double(parts.values[i]) - double(whole.values[i]), 2);
            norm += std::pow(double(whole.values[i]), 2);
        }
        CHECK(norm > 0);
        CHECK(std::sqrt(difference) <= 1e-5 * std::sqrt(norm));
    }
}

TEST_CASE("a run that accumulates takes several batches a step, and an epoch has fewer steps") {
    const SmallRun runs;
    runs.run("a", {"train.accumulate=3", "train.steps=auto", "train.epochs=2", "train.evaluate_every=auto"});
    const Json config = Json::parse(runs.text("a/config.json"));
    const int64_t batches = 7;  // 60 examples, 9 a batch
    CHECK(config["train"]["steps"] == (2 * batches + 2) / 3);
    CHECK(config["train"]["evaluate_every"] == batches / 3);
    TrainRequest stopped = runs.request("b", {"train.accumulate=3", "train.steps=5", "train.checkpoint_every=2"});
    int64_t done = 0;
    stopped.after_step = [&](int64_t step) { done = step; };
    stopped.stop = [&] { return done == 3; };
    CHECK(train(stopped).status == Status::stopped);
    stopped.existing = Existing::resume;
    stopped.stop = nullptr;
    train(stopped);
    runs.run("c", {"train.accumulate=3", "train.steps=5"}, 2);
    CHECK(runs.model("b") == runs.model("c"));
}

TEST_CASE("clipping by value bounds every element, and the norm is clipped after it") {
    const SmallRun runs;
    const auto largest_move = [&](const std::vector<std::string>& more) {
        std::vector<std::string> set = {
            "optimizer=sgd",     "optimizer.learning_rate=1", "schedule=constant", "train.steps=1",
            "train.log_every=1", "train.clip_norm=0",         "train.keep=9",      "model.dropout=0"};
        set.insert(set.end(), more.begin(), more.end());
        const std::string name = fmt::format("run{}", more.size());
        runs.run(name, set);
        const auto after = parameters(runs / (name + "/checkpoints/last"));
        const Experiment e = runs.request("none", set).experiment;
        const auto task = task_table().build(e.data, TaskSetup{.seed = 3, .saved = "", .load_data = true});
        const ModelInStore made = make_model(e, *task);
        double largest = 0, square = 0;
        std::size_t i = 0;
        const SafetensorsFile file(runs / (name + "/checkpoints/last/model.safetensors"));
        for (const TensorInfo& t : file.tensors()) {
            const real* before = made.store->values(*made.store->find(t.name));
            for (int64_t k = 0; k < t.shape.size(); ++k, ++i) {
                largest = std::max(largest, std::abs(after[i] - double(before[k])));
                square += std::pow(after[i] - double(before[k]), 2);
            }
        }
        return std::pair(largest, std::sqrt(square));
    };
    const auto [free_largest, free_norm] = largest_move({});
    REQUIRE(free_largest > 0.02);
    const auto [bound, clipped_norm] = largest_move({"train.clip_value=0.01"});
    CHECK(bound == doctest::Approx(0.01).epsilon(1e-3));
    CHECK(clipped_norm < free_norm);
    const auto [both, both_norm] = largest_move({"train.clip_value=0.01", "train.clip_norm=0.005"});
    CHECK(both < 0.01);
    CHECK(both_norm == doctest::Approx(0.005).epsilon(1e-3));
}

TEST_CASE("the saved model is the moving average of the parameters at every step") {
    const SmallRun runs;
    runs.run("live", {"train.checkpoint_every=1", "train.keep=100"});
    runs.run("mean", {"train.average=0.8", "train.average_warmup=false"});
    const Experiment e = runs.request("none").experiment;
    const auto task = task_table().build(e.data, TaskSetup{.seed = 3, .saved = "", .load_data = true});
    const ModelInStore made = make_model(e, *task);
    std::vector<double> expected;
    {
        const SafetensorsFile file(runs / "live/checkpoints/last/model.safetensors");
        for (const TensorInfo& t : file.tensors()) {
            const real* start = made.store->values(*made.store->find(t.name));
            expected.insert(expected.end(), start, start + t.shape.size());
        }
    }
    for (int64_t step = 1; step <= 12; ++step) {
        const auto live = parameters(runs / fmt::format("live/checkpoints/step-{}", step));
        REQUIRE(live.size() == expected.size());
        for (std::size_t i = 0; i < live.size(); ++i) expected[i] = 0.8 * expected[i] + 0.2 * live[i];
    }
    const auto saved = parameters(runs / "mean/checkpoints/last");
    REQUIRE(saved.size() == expected.size());
    double worst = 0;
    for (std::size_t i = 0; i < saved.size(); ++i) worst = std::max(worst, std::abs(saved[i] - expected[i]));
    CHECK(worst < 1e-5);
    CHECK(runs.model("mean") != runs.model("live"));
    // what is evaluated is what is saved
    CHECK(runs.summary("mean")["valid"]["loss"] != runs.summary("live")["valid"]["loss"]);

    TrainRequest stopped = runs.request("resumed", {"train.average=0.8", "train.average_warmup=false"});
    int64_t done = 0;
    stopped.after_step = [&](int64_t step) { done = step; };
    stopped.stop = [&] { return done == 5; };
    CHECK(train(stopped).status == Status::stopped);
    stopped.existing = Existing::resume;
    stopped.stop = nullptr;
    stopped.threads = 2;
    train(stopped);
    CHECK(runs.model("resumed") == runs.model("mean"));
}

TEST_CASE("a time box ends a run as its last step does") {
    const SmallRun runs;
    CHECK(runs.run("a", {"train.max_seconds=1e-6"}).status == Status::finished);
    const Json summary = runs.summary("a");
    CHECK(summary["status"] == "finished");
    CHECK(summary["steps"] == 1);
    CHECK(summary["train"]["step"] == 1);
    CHECK(summary["valid"]["step"] == 1);
    CHECK(summary["test"].contains("loss"));
    // given more time, the same run goes on
    TrainRequest more = runs.request("a", {"train.max_seconds=1000"});
    more.existing = Existing::resume;
    more.extend = Extend::yes;
    train(more);
    CHECK(runs.summary("a")["steps"] == 12);
    runs.run("b");
    CHECK(runs.model("a") == runs.model("b"));
}

TEST_CASE("one batch is overfitted") {
    const SmallRun runs;
    runs.run("a", {"train.overfit_one_batch=true", "train.steps=600", "model.dropout=0", "model.hidden=16",
                   "optimizer.learning_rate=0.02", "schedule=constant", "train.clip_norm=0", "train.log_every=1"});
    const auto lines = runs.metrics("a");
    REQUIRE(lines.size() == 600);  // no evaluation, no test
    CHECK(lines.front()["loss"].get<double>() > 1);
    CHECK(lines.back()["loss"].get<double>() < 0.02);
    CHECK(runs.summary("a")["test"].empty());
}

TEST_CASE("z-scores compare with the mean and the deviation of what came before") {
    MovingMoments m;
    std::vector<double> seen;
    Stream stream(5, "z");
    for (int i = 0; i < 100; ++i) {
        const double x = 3 + 2 * static_cast<double>(stream.normal());
        double mean = 0, square = 0;
        for (const double y : seen) mean += y / static_cast<double>(seen.size());
        for (const double y : seen) square += (y - mean) * (y - mean) / static_cast<double>(seen.size());
        const double z = m.z_score(x);
        if (i >= 2)
            CHECK(z == doctest::Approx((x - mean) / std::sqrt(square)).epsilon(1e-9));
        else
            CHECK(z == 0);
        seen.push_back(x);
    }
    for (int i = 0; i < 2000; ++i) m.z_score(50);  // the past is forgotten
    CHECK(m.mean == doctest::Approx(50));
    const SmallRun runs;
    runs.run("a", {"train.log_every=1"});
    for (const Json& line : runs.metrics("a"))
        if (line["split"] == "train") {
            CHECK(line.contains("loss_z"));
            CHECK((line["grad_norm_z"].get<double>() != 0) == (line["step"].get<int64_t>() > 2));
        }
}

TEST_CASE("the newest checkpoints are kept as asked") {
    const SmallRun runs;
    runs.run("a", {"train.checkpoint_every=1", "train.keep=3", "train.evaluate_every=12"});
    CHECK(step_folders(runs / "a") == 4);  // the last, which is the best too, and three
    CHECK(fs::exists(runs / "a/checkpoints/step-9"));
    runs.run("b", {"train.checkpoint_every=1", "train.evaluate_every=12"});
    CHECK(step_folders(runs / "b") == 1);
}

TEST_SUITE_END();

}  // namespace step_options_test
