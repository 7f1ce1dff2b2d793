// Whole runs: equal bits, killing and resuming, stopping, the run folder.
#include "train/learn/training.h"

#include <doctest/doctest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>

#include "tests/train/run_support.h"
#include "train/experiment/assemble.h"
#include "train/learn/replay.h"

namespace training_test {

TEST_SUITE_BEGIN("train: runs");

using namespace attend;
using attend::testing::contains;
using attend::testing::message_of;
using attend::testing::SmallRun;
namespace fs = std::filesystem;

namespace {

// metrics.jsonl without what depends on the clock.
std::vector<Json> timeless(std::vector<Json> lines) {
    for (Json& line : lines) {
        line.erase("seconds");
        line.erase("tokens_per_second");
    }
    return lines;
}

struct Killed {};

}  // namespace

TEST_CASE("the number of threads changes no bit") {
    const SmallRun runs;
    runs.run("one", {}, 1);
    runs.run("two", {}, 2);
    runs.run("four", {}, 4);
    CHECK(runs.model("one") == runs.model("two"));
    CHECK(runs.model("one") == runs.model("four"));
    CHECK(runs.text("one/checkpoints/last/optimizer.safetensors") == runs.text("four/checkpoints/last/optimizer.safetensors"));
    CHECK(timeless(runs.metrics("one")) == timeless(runs.metrics("four")));
    // that the comparison can fail: another seed, another number of shards
    runs.run("seed", {"seed=4"});
    CHECK(runs.model("one") != runs.model("seed"));
    runs.run("shards", {"train.shards=3"});
    CHECK(runs.model("one") != runs.model("shards"));
}

TEST_CASE("evaluations and checkpoints change no bit of training") {
    const SmallRun runs;
    runs.run("four", {"train.evaluate_every=4"});
    runs.run("five", {"train.evaluate_every=5", "train.checkpoint_every=2", "train.evaluate_decode=false"});
    runs.run("never", {"train.evaluate_every=100", "train.log_every=1"});
    CHECK(runs.model("four") == runs.model("five"));
    CHECK(runs.model("four") == runs.model("never"));
}

TEST_CASE("a run that was cut off and resumed with other threads has the bits and lines of an unbroken one") {
    const SmallRun runs;
    runs.run("whole", {}, 2);
    for (int64_t at : {1, 6, 9, 12}) {
        CAPTURE(at);
        const std::string name = "cut" + std::to_string(at);
        TrainRequest first = runs.request(name);
        first.after_step = [at](int64_t step) {
            if (step == at)
                throw Killed();
        };
        CHECK_THROWS_AS(train(first), Killed);
        TrainRequest second = runs.request(name);
        second.existing = Existing::resume;
        second.threads = 3;
        CHECK(train(second).status == Status::finished);
        CHECK(runs.model(name) == runs.model("whole"));
        CHECK(runs.text(name + "/checkpoints/best/model.safetensors") == runs.text("whole/checkpoints/best/model.safetensors"));
        CHECK(timeless(runs.metrics(name)) == timeless(runs.metrics("whole")));
        CHECK(runs.text(name + "/samples.txt") == runs.text("whole/samples.txt"));
    }
}

#if !defined(ATTEND_SANITIZED)  // they do not follow a fork into threads
TEST_CASE("a run killed with SIGKILL is resumed to the same bits") {
    const SmallRun runs;
    runs.run("whole");
    TrainRequest first = runs.request("killed");
    first.threads = 2;
    first.after_step = [](int64_t step) {
        if (step == 7)
            raise(SIGKILL);
    };
    const pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        train(first);
        _exit(0);
    }
    int status = 0;
    waitpid(child, &status, 0);
    REQUIRE(WIFSIGNALED(status));
    CHECK(!fs::exists(runs / "killed/summary.json"));
    {  // what a torn write leaves behind
        std::ofstream torn(runs / "killed/metrics.jsonl", std::ios::app);
        torn << R"({"step":7,"spl)";
    }
    TrainRequest second = runs.request("killed");
    second.existing = Existing::resume;
    train(second);
    CHECK(runs.model("killed") == runs.model("whole"));
    CHECK(timeless(runs.metrics("killed")) == timeless(runs.metrics("whole")));
}
#endif

TEST_CASE("a run that is told to stop saves, and goes on where it stood") {
    const SmallRun runs;
    runs.run("whole");
    TrainRequest request = runs.request("stopped");
    int64_t done = 0;
    request.after_step = [&](int64_t step) { done = step; };
    request.stop = [&] { return done == 8; };  // an evaluation is due then: it waits for the resumed run
    const TrainResult result = train(request);
    CHECK(result.status == Status::stopped);
    CHECK(result.progressed.step == 8);
    CHECK(runs.summary("stopped")["status"] == "stopped");
    CHECK(runs.summary("stopped")["steps"] == 8);
    CHECK(fs::read_symlink(runs / "stopped/checkpoints/last") == "step-8");
    request.existing = Existing::resume;
    request.stop = {};
    request.after_step = [](int64_t step) {  // after the evaluation that was due, before a checkpoint knows of it
        if (step == 9)
            throw Killed();
    };
    CHECK_THROWS_AS(train(request), Killed);
    request.after_step = {};
    CHECK(train(request).status == Status::finished);
    CHECK(runs.model("stopped") == runs.model("whole"));
    CHECK(timeless(runs.metrics("stopped")) == timeless(runs.metrics("whole")));
    CHECK(runs.summary("stopped")["status"] == "finished");
}

TEST_CASE("an evaluation is stopped between its batches") {
    const SmallRun runs;
    runs.run("whole");
    TrainRequest request = runs.request("stopped");
    int64_t done = 0, asked = 0;
    request.after_step = [&](int64_t step) { done = step; };
    request.stop = [&] { return done == 8 && ++asked == 2; };
    CHECK(train(request).status == Status::stopped);
    CHECK(runs.metrics("stopped").back()["step"] == 5);
    request.existing = Existing::resume;
    request.stop = {};
    train(request);
    CHECK(timeless(runs.metrics("stopped")) == timeless(runs.metrics("whole")));
    CHECK(runs.text("stopped/checkpoints/best/model.safetensors") == runs.text("whole/checkpoints/best/model.safetensors"));
}

TEST_CASE("the run folder and its lines") {
    const SmallRun runs;
    runs.run("a");
    for (const char* name : {"config.json", "metrics.jsonl", "summary.json", "samples.txt", "checkpoints/last/state.json",
                             "checkpoints/last/model.safetensors", "checkpoints/last/optimizer.safetensors"})
        CHECK_MESSAGE(fs::exists(runs / (std::string("a/") + name)), name);
    CHECK(fs::read_symlink(runs / "a/checkpoints/last") == "step-12");
    std::size_t steps = 0;
    for (const auto& entry : fs::directory_iterator(runs / "a/checkpoints")) steps += !entry.is_symlink();
    CHECK(steps <= 2);  // those that a link points to

    const std::vector<Json> lines = runs.metrics("a");
    std::vector<std::string> order;
    for (const Json& line : lines) order.push_back(line["split"].get<std::string>() + " " + line["step"].dump());
    const std::string best = fs::read_symlink(runs / "a/checkpoints/best").string().substr(5);
    CHECK(order ==
          std::vector<std::string>{"valid 4", "train 5", "valid 8", "train 10", "train 12", "valid 12", "test " + best});
    for (const Json& line : lines) {
        CHECK(line["loss"].get<double>() > 0);
        CHECK(line["seconds"].get<double>() > 0);
        for (const char* key : {"lr", "grad_norm", "targets", "tokens_per_second"})
            CHECK(line.contains(key) == (line["split"] == "train"));
        for (const char* key : {"accuracy", "exact_match"}) CHECK(line.contains(key) == (line["split"] != "train"));
    }
    CHECK(lines[3]["lr"].get<double>() < lines[1]["lr"].get<double>());

    const Json summary = runs.summary("a");
    CHECK(summary["status"] == "finished");
    CHECK(summary["steps"] == 12);
    CHECK(summary["parameters"].get<int64_t>() > 100);
    CHECK(summary["peak_memory_mib"].get<double>() > 1);
    CHECK(summary["train"]["loss"] == lines[4]["loss"]);
    CHECK(summary["valid"]["loss"] == lines[5]["loss"]);
    CHECK(std::to_string(summary["best"]["step"].get<int64_t>()) == best);
    CHECK(summary["test"]["loss"] == lines[6]["loss"]);

    const Json config = Json::parse(runs.text("a/config.json"));
    CHECK(config["format"] == 1);
    CHECK(config["name"] == "small");
    CHECK(config["train"]["shards"] == 4);
    CHECK(config["train"]["checkpoint_every"] == 4);
    CHECK(contains(runs.text("a/samples.txt"), "== step 12"));
    CHECK(contains(runs.text("a/samples.txt"), "reference"));
    // the resolved config is a config: the same run again
    TrainRequest again = runs.request("again");
    again.experiment = read_experiment((runs / "a/config.json").string(), {});
    train(again);
    CHECK(runs.model("again") == runs.model("a"));
}

TEST_CASE("the training loss is the mean over the targets since the last line") {
    const SmallRun runs;
    runs.run("each", {"train.log_every=1", "model.dropout=0"});
    runs.run("all", {"train.log_every=12", "model.dropout=0"});
    double sum = 0, targets = 0;
    const RunFolder folder(runs / "each");
    const Experiment e = folder.experiment();
    const auto task = task_table().build(e.data, TaskSetup{.seed = 3, .saved = "", .load_data = true});
    const auto batches = task->batches(Split::train, {.batch = 9, .seed = 3, .shuffled = true});
    for (const Json& line : runs.metrics("each"))
        if (line["split"] == "train") {
            const auto n = static_cast<double>(batches->at(line["step"].get<int64_t>() - 1).targets());
            sum += n * line["loss"].get<double>();
            targets += n;
        }
    for (const Json& line : runs.metrics("all"))
        if (line["split"] == "train")
            CHECK(line["loss"].get<double>() == doctest::Approx(sum / targets).epsilon(1e-12));
}

TEST_CASE("folders that are refused") {
    const SmallRun runs;
    runs.run("a");
    const std::string before = runs.text("a/metrics.jsonl");
    CHECK(message_of([&] { runs.run("a"); }) ==
          (runs / "a").string() +
              ": there is a run in this folder: found metrics.jsonl; use --resume to continue, --overwrite to start again");
    CHECK(runs.text("a/metrics.jsonl") == before);

    TrainRequest request = runs.request("a", {"seed=9"});
    request.existing = Existing::overwrite;
    std::ofstream(runs / "a/notes.md") << "mine";
    train(request);
    CHECK(runs.text("a/metrics.jsonl") != before);
    CHECK(runs.text("a/notes.md") == "mine");

    request = runs.request("nowhere");
    request.existing = Existing::resume;
    CHECK(message_of([&] { train(request); }) ==
          (runs / "nowhere").string() + ": there is no run to resume: no config.json in it; leave out --resume");
    CHECK(!fs::exists(runs / "nowhere"));

    std::ofstream(runs / "file") << "x";
    CHECK(contains(message_of([&] { runs.run("file"); }), "a run needs a folder: there is a file of that name"));
    CHECK(contains(message_of([&] { runs.run("file/below"); }), "file/below"));
    if (::geteuid() != 0) {  // nothing is closed to root
        fs::create_directory(runs / "closed");
        fs::permissions(runs / "closed", fs::perms::owner_read | fs::perms::owner_exec);
        CHECK(contains(message_of([&] { runs.run("closed"); }), "cannot be written to: Permission denied"));
        CHECK(contains(message_of([&] { runs.run("closed/below"); }), "cannot be made: Permission denied"));
        fs::permissions(runs / "closed", fs::perms::owner_all);
    }
}

TEST_CASE("what may change when a run is resumed") {
    const SmallRun runs;
    runs.run("a");
    const auto resume = [&](const std::vector<std::string>& set) {
        TrainRequest request = runs.request("a", set);
        request.existing = Existing::resume;
        request.extend = Extend::with_schedule;
        return train(request);
    };
    const std::string refused = message_of([&] { resume({"train.batch=8", "optimizer.learning_rate=0.02", "seed=5"}); });
    CHECK(contains(refused, "config.json: not the experiment that this run began with: 3 options changed:"));
    CHECK(contains(refused, "\n  seed: before 3, now 5"));
    CHECK(contains(refused, "\n  optimizer.learning_rate: before 0.01, now 0.02"));
    CHECK(contains(refused, "\n  train.batch: before 9, now 8"));
    CHECK(contains(message_of([&] { resume({"train.steps=11"}); }),
                   "the run is already further than asked for: steps done 12, train.steps 11"));
    CHECK(resume({"train.steps=15", "train.log_every=2", "train.evaluate_every=5", "train.checkpoint_every=1",
                  "train.shards=auto"})
              .progressed.step == 15);
    CHECK(resume({"train.steps=15"}).status == Status::finished);  // nothing left to do
    CHECK(runs.metrics("a").back()["split"] == "test");
}

TEST_CASE("options that make no sense together") {
    const SmallRun runs;
    const std::vector<std::pair<std::vector<std::string>, std::string>> cases = {
        {{"train.epochs=2"}, "train: steps and epochs exclude each other: steps 12, epochs 2"},
        {{"train.steps=auto"}, "train: one of steps and epochs must be given: steps 0, epochs 0"},
        {{"train.shards=10"}, "train.shards: a batch cannot be cut finer than its rows: shards 10, batch 9"},
        {{"train.best_metric=loos"}, "train.best_metric: not a metric of these evaluations: best_metric 'loos', known loss, "},
        {{"train.best_metric=exact_match", "train.evaluate_decode=false"},
         "train.best_metric: not a metric of these evaluations: best_metric 'exact_match', known loss, "},
        {{"data.valid_examples=0", "train.patience=2"},
         "train.patience: it follows evaluations of a validation split, and the data have none: patience 2, validation "
         "examples "
         "0"},
        {{"data.valid_examples=0", "schedule=plateau"}, "schedule plateau: it follows evaluations of a validation split"}};
    for (const auto& [set, message] : cases) {
        CHECK_MESSAGE(contains(message_of([&] { runs.run("a", set); }), message), message);
        CHECK(!fs::exists(runs / "a"));
    }
    runs.run("epochs", {"train.steps=auto", "train.epochs=2", "train.evaluate_every=auto"});
    const Json config = Json::parse(runs.text("epochs/config.json"));
    CHECK(config["train"]["steps"] == 14);
    CHECK(config["train"]["evaluate_every"] == 7);
}

TEST_CASE("patience ends a run") {
    const SmallRun runs;
    const TrainResult r = runs.run("a", {"optimizer.learning_rate=1e-12", "train.evaluate_every=1", "train.patience=3",
                                         "train.best_metric=exact_match", "train.steps=40"});
    CHECK(r.status == Status::finished);
    CHECK(r.progressed.step < 40);
    CHECK(r.progressed.evaluations_since_best >= 3);
}

TEST_CASE("one batch is learnt by heart") {
    const SmallRun runs;
    runs.run("a", {"data.train_examples=4", "train.batch=4", "train.steps=150", "train.evaluate_every=1000", "model.dropout=0",
                   "model.hidden=24", "model.embedding=24", "optimizer.learning_rate=0.02", "train.log_every=1"});
    const std::vector<Json> lines = runs.metrics("a");
    double last = 9;
    for (const Json& line : lines)
        if (line["split"] == "train")
            last = line["loss"];
    CHECK(lines[0]["loss"].get<double>() > 1);
    CHECK(last < 0.02);
}

TEST_CASE("divergence: what diverged is named, and the last good checkpoint stays") {
    const SmallRun runs;
    const std::string message = message_of<Diverged>([&] {
        runs.run("a", {"optimizer={\"type\":\"sgd\",\"learning_rate\":1000,\"momentum\":0.99,\"weight_decay\":1}",
                       "train.clip_norm=0", "train.checkpoint_every=1", "train.evaluate_every=1000", "train.steps=400",
                       "schedule=constant"});
    });
    CAPTURE(message);
    CHECK(contains(message, "step "));
    CHECK(contains(message, "not finite"));
    const Json summary = runs.summary("a");
    CHECK(summary["status"] == "diverged");
    const std::string named = summary["message"];
    CHECK(message == named + "; bundle: " + (runs / "a/bundle.safetensors").string() + "; replay the step with: attend check " +
                         (runs / "a/bundle.safetensors").string());
    CHECK(summary["bundle"] == "bundle.safetensors");
    // A checkpoint found the infinite weight; the bundle is of the step after, which meets it.
    CHECK(contains(message, "checkpoint: a parameter is not finite"));
    const BundleFile bundle(runs / "a/bundle.safetensors");
    CHECK(bundle.bundle().steps_done == summary["steps"].get<int64_t>());
    const Replayed replayed = replay(bundle, 2);
    CHECK(replayed.verdict == Replayed::Verdict::reproduced);
    CHECK(replayed.now.message == bundle.bundle().failure.message);
    CHECK(!std::isfinite(replayed.largest.value));
    CHECK(contains(text_of(replayed), "before it a weight is not finite already: "));
    // the last checkpoint is whole and finite
    const RunFolder folder(runs / "a");
    const Experiment e = folder.experiment();
    const auto task = task_table().build(e.data, TaskSetup{.seed = 3, .saved = "", .load_data = false});
    const ModelInStore made = make_model(e, *task);
    const Progressed p = load_model(folder.last(), *made.store);
    CHECK(p.step > 0);
    CHECK(p.step <= summary["steps"].get<int64_t>());
    for (int64_t i = 0; i < made.store->size(); ++i) REQUIRE(std::isfinite(made.store->data()[i]));
}

TEST_SUITE_END();

}  // namespace training_test
