// How runs end and go on: signals, patience, a schedule that follows evaluations, vocabularies; and
// equal bits where the arena has several blocks.
#include <doctest/doctest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cmath>
#include <sstream>
#include <thread>

#include "tests/train/commands.h"
#include "tests/train/run_support.h"
#include "train/cli/cli.h"
#include "train/learn/signals.h"

namespace run_ends_test {

TEST_SUITE_BEGIN("train: ends of runs");

using namespace attend;
using attend::testing::attend_command;
using attend::testing::contains;
using attend::testing::message_of;
using attend::testing::Outcome;
using attend::testing::SmallRun;
namespace fs = std::filesystem;
using Strings = std::vector<std::string>;

namespace {

struct Killed {};

// Trains `name`, leaves it after step `at` as a kill would, and resumes it with another number of
// threads.
TrainResult run_in_two(const SmallRun& runs, const std::string& name, const Strings& set, int64_t at) {
    TrainRequest request = runs.request(name, set);
    request.after_step = [at](int64_t step) {
        if (step == at)
            throw Killed();
    };
    CHECK_THROWS_AS(train(request), Killed);
    request.after_step = {};
    request.existing = Existing::resume;
    request.threads = 3;
    return train(request);
}

std::vector<double> rates(const SmallRun& runs, const std::string& name) {
    std::vector<double> all;
    for (const Json& line : runs.metrics(name))
        if (line["split"] == "train")
            all.push_back(line["lr"].get<double>());
    return all;
}

}  // namespace

TEST_CASE("an arena of several blocks: the number of threads changes no bit, nor does a kill") {
    const SmallRun runs;
    const Strings set = {"model.embedding=48", "model.hidden=48", "train.steps=5", "train.evaluate_every=2"};
    runs.run("one", set, 1);
    REQUIRE(runs.summary("one")["parameters"].get<int64_t>() > 3 * 16384);
    for (const int threads : {2, 4}) {
        const std::string name = std::to_string(threads);
        runs.run(name, set, threads);
        CHECK(runs.model(name) == runs.model("one"));
        CHECK(runs.text(name + "/checkpoints/last/optimizer.safetensors") ==
              runs.text("one/checkpoints/last/optimizer.safetensors"));
    }
    CHECK(run_in_two(runs, "killed", set, 3).status == Status::finished);
    CHECK(runs.model("killed") == runs.model("one"));
    CHECK(runs.text("killed/checkpoints/last/optimizer.safetensors") ==
          runs.text("one/checkpoints/last/optimizer.safetensors"));
}

#if !defined(ATTEND_SANITIZED)  // they do not follow a fork into threads
TEST_CASE("SIGINT and SIGTERM: the step is finished, the run saved, the code 130 or 143, and resuming gives the same bits") {
    const SmallRun runs;
    const std::string config = (runs / "small.json").string();
    const Strings set = {"schedule=constant", "train.log_every=1", "train.evaluate_every=1000000"};
    for (const int signal : {SIGINT, SIGTERM}) {
        CAPTURE(signal);
        const std::string name = "signal" + std::to_string(signal), out = (runs / name).string();
        Strings command = {"train", config, "--out", out, "--set", "train.steps=1000000"};
        for (const std::string& s : set) command.insert(command.end(), {"--set", s});
        const pid_t child = ::fork();
        REQUIRE(child >= 0);
        if (child == 0) {
            std::istringstream in;
            std::ostringstream said, error;
            _exit(cli::run(command, {in, said, error}));
        }
        const fs::path metrics = runs / (name + "/metrics.jsonl");
        const auto begin = std::chrono::steady_clock::now();
        while (!fs::exists(metrics) || fs::file_size(metrics) == 0) {  // until steps are being made
            REQUIRE(std::chrono::steady_clock::now() - begin < std::chrono::seconds(60));
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
        }
        ::kill(child, signal);
        int status = 0;
        ::waitpid(child, &status, 0);
        REQUIRE(WIFEXITED(status));
        CHECK(WEXITSTATUS(status) == 128 + signal);
        const Json summary = runs.summary(name);
        CHECK(summary["status"] == "stopped");
        const int64_t steps = summary["steps"].get<int64_t>();
        CHECK(steps >= 1);
        CHECK(fs::read_symlink(runs / (name + "/checkpoints/last")) == "step-" + std::to_string(steps));

        Strings whole = set;
        whole.push_back("train.steps=" + std::to_string(steps + 5));
        TrainRequest request = runs.request(name, whole);
        request.existing = Existing::resume;
        CHECK(train(request).status == Status::finished);
        runs.run("whole" + name, whole);
        CHECK(runs.model(name) == runs.model("whole" + name));
    }
}

TEST_CASE("the second signal ends the process at once") {
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        const StopSignals signals;
        ::raise(SIGTERM);
        if (StopSignals::received() != SIGTERM)
            _exit(1);
        ::raise(SIGINT);
        _exit(2);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    REQUIRE(WIFEXITED(status));
    CHECK(WEXITSTATUS(status) == 130);
}
#endif

TEST_CASE("patience ends a run at the very step, killed and resumed too") {
    const SmallRun runs;
    const Strings set = {"optimizer.learning_rate=1e-12", "schedule=constant", "train.evaluate_every=2", "train.patience=3",
                         "train.best_metric=exact_match", "train.log_every=1", "train.steps=40"};
    CHECK(runs.run("whole", set).progressed.step == 8);  // the first evaluation, at 2, is the best; 4, 6 and 8 are not better
    for (const int64_t at : {3, 7, 8}) {
        CAPTURE(at);
        const std::string name = "cut" + std::to_string(at);
        const TrainResult r = run_in_two(runs, name, set, at);
        CHECK(r.status == Status::finished);
        CHECK(r.progressed.step == 8);
        CHECK(r.progressed.evaluations_since_best == 3);
        CHECK(runs.model(name) == runs.model("whole"));
        CHECK(runs.metrics(name).size() == runs.metrics("whole").size());
    }
}

TEST_CASE("the plateau schedule follows the evaluations of a run, killed and resumed too") {
    const SmallRun runs;
    // Nothing improves at this rate: a fall with the second evaluation after the first, and with
    // every second one after it.
    const Strings set = {R"(schedule={"type": "plateau", "factor": 0.5, "patience": 1, "threshold": 0.1})",
                         "optimizer.learning_rate=1e-9", "train.evaluate_every=2", "train.log_every=1", "train.steps=14"};
    runs.run("whole", set);
    const std::vector<double> whole = rates(runs, "whole");
    REQUIRE(whole.size() == 14);
    for (std::size_t step = 0; step < whole.size(); ++step) {
        CAPTURE(step);
        const double falls = step < 6 ? 0 : step < 10 ? 1 : 2;
        CHECK(whole[step] == doctest::Approx(1e-9 * std::pow(0.5, falls)).epsilon(1e-9));
    }
    for (const int64_t at : {5, 7, 11}) {
        CAPTURE(at);
        const std::string name = "cut" + std::to_string(at);
        CHECK(run_in_two(runs, name, set, at).status == Status::finished);
        CHECK(rates(runs, name) == whole);
        CHECK(runs.model(name) == runs.model("whole"));
        CHECK(runs.text(name + "/checkpoints/last/optimizer.safetensors") ==
              runs.text("whole/checkpoints/last/optimizer.safetensors"));
    }
}

TEST_CASE("a vocabulary that is missing or another one is refused with code 2 by all who need it") {
    const SmallRun runs;
    for (const char* name : {"a.src", "a.trg"}) std::ofstream(runs / name) << "a b\nb c\nc a a\n";
    const std::string pair = "[\"" + (runs / "a.src").string() + "\", \"" + (runs / "a.trg").string() + "\"]";
    std::ofstream(runs / "words.json") << R"({"data": {"task": "parallel", "unit": "word", "train": )" << pair
                                       << R"(, "valid": )" << pair << R"(},
        "model": {"type": "rnn_seq2seq", "embedding": 4, "hidden": 4}, "train": {"steps": 2, "batch": 4, "shards": 1}})";
    const std::string run = (runs / "run").string();
    const auto command = [&](const Strings& arguments) {
        const Outcome o = attend_command(arguments, "a b\n");
        return std::pair(o.code, o.error);
    };
    const Strings again = {"train", (runs / "words.json").string(), "--out", run, "--resume"};
    REQUIRE(command({"train", (runs / "words.json").string(), "--out", run}).first == 0);
    REQUIRE(command({"translate", run}).first == 0);

    std::vector<fs::path> files;
    for (const auto& entry : fs::directory_iterator(runs / "run/vocabulary")) files.push_back(entry.path());
    REQUIRE(!files.empty());
    const auto refused = [&](const std::string& what) {
        CAPTURE(what);
        for (const Strings& arguments : {again, Strings{"translate", run}, Strings{"eval", run}}) {
            CAPTURE(arguments[0]);
            const auto [code, error] = command(arguments);
            CAPTURE(error);
            CHECK(code == 2);
            CHECK(contains(error, (runs / "run/vocabulary").string()));
        }
    };
    for (const fs::path& file : files) {
        const std::string text = read_file(file, 1 << 20);
        std::string other = text;
        const std::size_t at = other.find("\nb\n");
        REQUIRE(at != std::string::npos);
        other.replace(at, 3, "\nd\n");
        std::ofstream(file, std::ios::trunc) << other;
        refused("another symbol in " + file.filename().string());
        const auto [code, error] = command({"translate", run});
        CHECK(contains(error, "not the vocabulary that this run was trained with: files ["));
        CHECK(contains(error, "the checkpoint says ["));
        fs::remove(file);
        refused("without " + file.filename().string());
        std::ofstream(file) << text;
    }
    CHECK(command({"translate", run}).first == 0);  // as it was
    fs::rename(runs / "run/vocabulary", runs / "elsewhere");
    refused("no folder");
    fs::rename(runs / "elsewhere", runs / "run/vocabulary");
    CHECK(command(again).first == 0);
}

TEST_SUITE_END();

}  // namespace run_ends_test
