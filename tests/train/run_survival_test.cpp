// What a run does when its folder is taken away, when a checkpoint is broken or cannot be removed,
// and what killed runs leave.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/own_files.h"
#include "tests/oracles/snapshot.h"
#include "tests/train/commands.h"
#include "tests/train/page_support.h"
#include "train/learn/restored.h"
#include "train/records/resume.h"
#include "train/show/terminal_observer.h"

namespace run_survival_test {

TEST_SUITE_BEGIN("train: survival of runs");

using namespace attend;
using attend::testing::attend_command;
using attend::testing::contains;
using attend::testing::message_of;
using attend::testing::Outcome;
using attend::testing::PagedRun;
namespace fs = std::filesystem;
using Strings = std::vector<std::string>;

namespace {

// The message of the MachineError with which a run ends whose folder somebody does something to
// after step `at`.
template <class F>
std::string disturbed(const PagedRun& runs, int64_t at, F disturb, const Strings& set = {}) {
    TrainRequest request = runs.request("run", set);
    request.after_step = [&, done = false](int64_t step) mutable {
        if (step == at && !done)
            disturb();
        done = done || step == at;
    };
    return message_of<MachineError>([&] { train(request); });
}

void damage(const fs::path& file) {
    std::fstream out(file, std::ios::in | std::ios::out | std::ios::binary);
    out.seekp(static_cast<std::streamoff>(fs::file_size(file)) - 3);
    out.put('\x55').put('\x2a');
}

// metrics.jsonl without what depends on the clock.
std::vector<Json> timeless(std::vector<Json> lines) {
    for (Json& line : lines) {
        line.erase("seconds");
        line.erase("tokens_per_second");
    }
    return lines;
}

}  // namespace

TEST_CASE("a run whose folder is removed, renamed or replaced ends with an error, and writes nothing into what stands there") {
    for (const int64_t at : {3, 5, 11})  // before the first line, between, and in the last steps
        for (const std::string how : {"removed", "renamed", "replaced", "replaced by a link"}) {
            CAPTURE(at);
            CAPTURE(how);
            const PagedRun runs;
            const fs::path run = runs / "run";
            const std::string message = disturbed(runs, at, [&] {
                if (how == "removed")
                    fs::remove_all(run);
                else
                    fs::rename(run, runs / "moved");
                if (how.starts_with("replaced"))
                    fs::create_directory(runs / "other");
                if (how == "replaced")
                    fs::rename(runs / "other", run);
                if (how == "replaced by a link")
                    fs::create_symlink("other", run);
            });
            CHECK_MESSAGE(contains(message, "run: the run's folder was removed, renamed or replaced while it was trained in"),
                          message);
            CHECK(contains(message, "--resume"));
            if (how == "removed" || how == "renamed")
                CHECK(!fs::exists(run));
            else
                CHECK(fs::is_empty(run));
            if (how == "renamed" && at > 4) {  // moved back, it goes on
                fs::rename(runs / "moved", run);
                TrainRequest request = runs.request("run");
                request.existing = Existing::resume;
                CHECK(train(request).status == Status::finished);
                runs.run("whole");
                CHECK(runs.model("run") == runs.model("whole"));
            }
        }
    // The command's code is the machine's, and so the file's that is gone from a folder that is
    // there.
    const PagedRun runs, others;
    const std::string message = disturbed(runs, 6, [&] { fs::remove(runs / "run/metrics.jsonl"); });
    CHECK_MESSAGE(contains(message, "run/metrics.jsonl: was removed or replaced while it was written"), message);
    // A config that was removed is written again: a run is nothing without.
    CHECK(disturbed(others, 6, [&] { fs::remove(others / "run/config.json"); }).empty());
    CHECK(others.summary("run")["status"] == "finished");
    CHECK(restore((others / "run").string(), Data::vocabularies).step > 0);
    // So is one that was changed.
    const PagedRun changed;
    const fs::path config = changed / "run/config.json";
    CHECK(disturbed(changed, 6, [&] { std::ofstream(config) << "{}"; }).empty());
    CHECK(changed.text("run/config.json") == others.text("run/config.json"));
    // A pipe in its place, or in that of the metrics, would be waited for.
    fs::remove(config);
    REQUIRE(::mkfifo(config.c_str(), 0600) == 0);
    CHECK(contains(attend_command({"eval", (changed / "run").string()}).error, "the config of a run is a file: it is a pipe"));
    fs::remove(changed / "run/metrics.jsonl");
    REQUIRE(::mkfifo((changed / "run/metrics.jsonl").c_str(), 0600) == 0);
    CHECK(contains(attend_command({"metrics", (changed / "run").string()}).error,
                   "the metrics of a run are a file: it is a pipe"));
}

TEST_CASE("a broken last checkpoint: the error names those that are whole, and what it says to do works") {
    const Strings set = {"train.keep=3"};
    const PagedRun runs;
    runs.run("whole", set);
    for (const std::string how : {"model", "optimizer", "state", "missing"}) {
        CAPTURE(how);
        fs::remove_all(runs / "my run");
        runs.run("my run", set);
        const fs::path run = runs / "my run", last = run / "checkpoints/last", best = run / "checkpoints/best";
        if (how == "missing")
            fs::remove_all(run / "checkpoints/step-12");
        else
            damage(last / (how == "state" ? "state.json" : how + ".safetensors"));
        TrainRequest request = runs.request("my run", set);
        request.existing = Existing::resume;
        const std::string message = message_of([&] { train(request); });
        const std::string command = fmt::format("ln -sfn step-8 '{}'", last.string());
        CHECK_MESSAGE(
            contains(message, "; complete checkpoints: step-4, step-8; --resume continues from step-8 after: " + command),
            message);
        if (how != "optimizer") {  // which looking does without
            fs::remove(best);
            fs::create_symlink("step-12", best);
            const Outcome o = attend_command({"eval", run.string()});
            CHECK(o.code == 2);
            const std::string step = (run / "checkpoints/step-8").string();
            CHECK_MESSAGE(
                contains(o.error, "; complete checkpoints: step-4, step-8; give one in the run's place: '" + step + "'"),
                o.error);
            CHECK(attend_command({"eval", step}).code == 0);
            CHECK(attend_command({"train", (runs / "small.json").string(), "--out", (runs / "new").string(), "--set",
                                  "init.from=" + run.string()})
                      .error.find("give one in the run's place") != std::string::npos);
        }
        REQUIRE(::system(command.c_str()) == 0);
        CHECK(train(request).status == Status::finished);
        CHECK(runs.model("my run") == runs.model("whole"));
        CHECK(timeless(runs.metrics("my run")) == timeless(runs.metrics("whole")));
        CHECK(fs::read_symlink(best) == fs::read_symlink(runs / "whole/checkpoints/best"));
    }
}

TEST_CASE(
    "going back further than the best checkpoint that is left: the best is chosen anew, later checkpoints are made again") {
    const Strings set = {"train.keep=3"};
    const PagedRun runs;
    runs.run("whole", set);
    runs.run("run", set);
    const fs::path checkpoints = runs / "run/checkpoints";
    fs::remove(checkpoints / "last");
    fs::create_symlink("step-4", checkpoints / "last");
    TrainRequest request = runs.request("run", set);
    request.existing = Existing::resume;
    request.after_step = [&](int64_t step) {
        if (step == 5) {
            CHECK(!fs::exists(checkpoints / "step-8"));
            CHECK(!fs::exists(checkpoints / "step-12"));
            CHECK(fs::read_symlink(checkpoints / "best") == "step-4");
        }
    };
    CHECK(train(request).status == Status::finished);
    CHECK(runs.model("run") == runs.model("whole"));
    CHECK(fs::exists(checkpoints / "step-8/state.json"));
}

TEST_CASE("checkpoints of which none is whole are no reason to begin again") {
    const PagedRun runs;
    runs.run("run", {"train.keep=5"});
    for (const char* link : {"last", "best"}) fs::remove(runs / "run/checkpoints" / link);
    for (const auto& entry : fs::directory_iterator(runs / "run/checkpoints")) damage(entry.path() / "model.safetensors");
    const oracles::Snapshot before = oracles::snapshot(runs / "run");
    TrainRequest request = runs.request("run", {"train.keep=5"});
    request.existing = Existing::resume;
    const std::string message = message_of([&] { train(request); });
    CHECK_MESSAGE(contains(message, "no link to the checkpoint to continue from, and none is complete: checkpoints 3"),
                  message);
    CHECK(oracles::changed(before, oracles::snapshot(runs / "run")).empty());
}

TEST_CASE("no whole checkpoint is left, and no link last is there") {
    const PagedRun runs;
    runs.run("run");
    runs.run("whole");
    TrainRequest request = runs.request("run", {"train.steps=16", "schedule=constant"});
    request.existing = Existing::resume;
    request.extend = Extend::with_schedule;
    // As after copying to a place that knows no links: what was trained is not thrown away.
    fs::remove(runs / "run/checkpoints/last");
    fs::remove(runs / "run/checkpoints/best");
    CHECK(attend_command({"eval", (runs / "run").string()}).error.find("checkpoints without a link: ") != std::string::npos);
    int64_t first = 0;
    request.after_step = [&](int64_t step) { first = first == 0 ? step : first; };
    CHECK(train(request).status == Status::finished);
    CHECK(first == 13);
    for (const auto& entry : fs::directory_iterator(runs / "run/checkpoints"))
        if (!entry.is_symlink())
            damage(entry.path() / "model.safetensors");
    const std::string message = message_of([&] { train(request); });
    CHECK_MESSAGE(contains(message, "complete checkpoints left: 0; --overwrite starts again"), message);
    // A copy that followed the links: said before anything is trained, with the way out.
    fs::remove(runs / "whole/checkpoints/last");
    fs::copy(runs / "whole/checkpoints/step-12", runs / "whole/checkpoints/last", fs::copy_options::recursive);
    TrainRequest copied = runs.request("whole");
    copied.existing = Existing::resume;
    CHECK(contains(message_of([&] { train(copied); }), "a folder stands where a link to a checkpoint is needed"));
}

#if !defined(ATTEND_SANITIZED)  // they do not follow a fork into threads
TEST_CASE("an old checkpoint that cannot be removed is warned of once, and the run goes on") {
    for (const mode_t mode : {0500, 0}) {
        CAPTURE(mode);
        const PagedRun runs;
        const pid_t child = ::fork();
        REQUIRE(child >= 0);
        if (child == 0) {
            constexpr uid_t somebody = 65534;  // to root nothing is closed
            if (::geteuid() == 0 && (::chown((runs / "").c_str(), somebody, somebody) != 0 || ::seteuid(somebody) != 0))
                ::_exit(2);
            TrainRequest request = runs.request("run", {"train.checkpoint_every=2", "train.evaluate_every=100"});
            const fs::path closed = runs / "run/checkpoints/step-4";
            request.after_step = [&](int64_t step) {
                if (step == 5)
                    ::chmod(closed.c_str(), mode);
            };
            const int quiet = ::open("/dev/null", O_WRONLY);
            TerminalObserver observer(std::make_shared<Terminal>(quiet));
            request.observer = &observer;
            const bool finished = message_of<std::exception>([&] { train(request); }).empty();
            const std::string log = runs.text("run/log.txt");
            const std::string warning =
                "warning " + closed.string() + ": an old checkpoint cannot be removed: Permission denied";
            const bool once = contains(log, warning) && log.find(warning) == log.rfind(warning);
            ::chmod(closed.c_str(), 0700);
            ::_exit(!finished ? 3 : !once ? 4 : fs::exists(runs / "run/checkpoints/step-6") ? 5 : 0);
        }
        int status = 0;
        ::waitpid(child, &status, 0);
        REQUIRE(WIFEXITED(status));
        CHECK(WEXITSTATUS(status) == 0);
    }
}

TEST_CASE("what killed runs left half written is removed when a run goes on or begins anew, and nothing else") {
    const PagedRun runs;
    const pid_t dead = ::fork();
    if (dead == 0)
        ::_exit(0);
    siginfo_t ended;
    REQUIRE(::waitid(P_PID, static_cast<id_t>(dead), &ended, WEXITED | WNOWAIT) == 0);  // stays a zombie, as in many containers
    const auto plant = [&](pid_t process) {
        const fs::path run = runs / "run", checkpoints = run / "checkpoints";
        const auto name = [&](const char* of, int number) {
            return fmt::format(".{}.attend-partial-{}-{}", of, process, number);
        };
        Strings paths;
        for (const char* file : {"config.json", "summary.json", "report.html", "maps/step-4.safetensors"}) {
            const fs::path path = run / fs::path(file).parent_path() / name(fs::path(file).filename().c_str(), 1);
            fs::create_directories(path.parent_path());
            std::ofstream(path) << "half";
            paths.push_back(path.string());
        }
        for (const char* folder : {"step-4", "average"}) {
            const fs::path path = checkpoints / name(folder, 2);
            fs::create_directories(path);
            std::ofstream(path / "model.safetensors") << "half";
            std::ofstream(path / name("optimizer.safetensors", 3)) << "half";
            paths.push_back(path.string());
        }
        fs::create_symlink("step-4", checkpoints / name("last", 4));
        paths.push_back((checkpoints / name("last", 4)).string());
        return paths;
    };
    const auto left = [](const Strings& paths) {
        return std::count_if(paths.begin(), paths.end(),
                             [](const std::string& p) { return fs::exists(fs::symlink_status(p)); });
    };
    runs.run("run");
    for (const Existing how : {Existing::resume, Existing::overwrite}) {
        const Strings gone = plant(dead), stays = plant(::getppid());
        // Not by the mark alone: a folder of somebody's, and one with more in it than a checkpoint.
        const fs::path mine = runs / fmt::format("run/checkpoints/.mine.attend-partial-{}-7", dead);
        fs::create_directories(mine);
        std::ofstream(mine / "notes.md") << "mine";
        for (const char* close : {".a.attend-partial-1", ".a.attend-partial-99999999-", "a.attend-partial-99999999-1",
                                  ".attend-partial-99999999-1", ".a.attend-partial-99999999-1x", ".a.attend-partial--5-1"})
            std::ofstream(runs / "run" / close) << "mine";
        TrainRequest request = runs.request("run");
        request.existing = how;
        CHECK(train(request).status == Status::finished);
        CHECK(left(gone) == 0);
        CHECK(left(stays) == static_cast<std::ptrdiff_t>(stays.size()));
        CHECK(fs::exists(mine / "notes.md"));
        int close = 0;
        for (const auto& entry : fs::directory_iterator(runs / "run"))
            close += contains(entry.path().filename().string(), "attend-partial") &&
                     !contains(entry.path().filename().string(), fmt::format("-{}-", ::getppid()));
        CHECK(close == 6);
        for (const std::string& path : stays) fs::remove_all(path);
    }
    ::waitpid(dead, nullptr, 0);
}

TEST_CASE("killed at any moment a run leaves a folder in which it goes on, and nothing half written after that") {
    const PagedRun runs;
    runs.run("whole", {"train.checkpoint_every=1", "train.evaluate_every=2"});
    for (int i = 0; i < 12; ++i) {
        CAPTURE(i);
        fs::remove_all(runs / "run");
        const pid_t child = ::fork();
        REQUIRE(child >= 0);
        if (child == 0) {
            runs.run("run", {"train.checkpoint_every=1", "train.evaluate_every=2"});
            ::_exit(0);
        }
        ::usleep(static_cast<useconds_t>(3000 + 3500 * i));
        ::kill(child, SIGKILL);
        ::waitpid(child, nullptr, 0);
        TrainRequest request = runs.request("run", {"train.checkpoint_every=1", "train.evaluate_every=2"});
        request.existing = fs::exists(runs / "run/config.json") ? Existing::resume : Existing::refuse;
        CHECK(train(request).status == Status::finished);
        CHECK(runs.model("run") == runs.model("whole"));
        for (const auto& entry : fs::recursive_directory_iterator(runs / "run"))
            CHECK_MESSAGE(!contains(entry.path().string(), "attend-partial"), entry.path().string());
    }
}
#endif

TEST_SUITE_END();

}  // namespace run_survival_test
