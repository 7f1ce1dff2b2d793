// Comparisons in folders with other people's files: these stay as they are, byte for byte.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <iostream>

#include "tests/oracles/snapshot.h"
#include "tests/train/commands.h"
#include "tests/train/foreign_support.h"
#include "tests/train/run_support.h"
#include "train/show/report/compare_page.h"
#include "train/show/terminal_observer.h"
#include "train/study/compare/compare.h"

namespace compare_files_test {

#if !defined(ATTEND_SANITIZED)  // they do not follow a fork into threads

TEST_SUITE_BEGIN("train: other people's files, compared");

using namespace attend;
using attend::oracles::changed;
using attend::oracles::Snapshot;
using attend::oracles::snapshot;
using attend::testing::contains;
using attend::testing::furnish;
using attend::testing::furnish_outside;
using attend::testing::is_a_runs;
using attend::testing::message_of;
using attend::testing::SmallRun;
using attend::testing::write;
namespace fs = std::filesystem;
using Strings = std::vector<std::string>;

namespace {

const Strings none;

pid_t forked(const compare::Job& job) {
    const pid_t parent = ::getpid(), process = ::fork();
    if (process != 0)
        return process;
    compare::become_job(compare::messages(job.folder).c_str(), parent);
    ::_exit(cli::run(job.arguments, {std::cin, std::cout, std::cerr, false}));
}

struct Compares {
    SmallRun files;
    std::string run(Existing existing = Existing::resume, Extend extend = Extend::no, const Strings& set = {}) const {
        write(files / "two.json", R"({"base": "small.json", "seeds": [1], "variants": {
            "general": {"model.attention.score": "general"}, "plain": {}}})");
        compare::CompareRequest r;
        r.comparison = compare::read_comparison((files / "two.json").string(), set);
        r.extend = extend;
        r.folder = (files / "out").string();
        r.threads = 2;
        r.start = forked;
        r.existing = existing;
        TerminalObserver observer(std::make_shared<Terminal>(quiet_));
        r.observer = &observer;
        r.compared = [&](const compare::Compared& done) { compare::write_page(r.folder, r.comparison.name, done); };
        return message_of([&] { run_comparison(r); });
    }
    ~Compares() { ::close(quiet_); }

  private:
    int quiet_ = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
};
}  // namespace

TEST_CASE("compare leaves a furnished folder and all beside it as they are, begun, repeated and anew") {
    const Compares c;
    furnish_outside(c.files / "outside");
    for (const char* folder : {"out", "out/plain", "out/plain/seed-1", "out/general/seed-1"})
        furnish(c.files / folder, c.files / "outside");
    write(c.files / "two.json", "");  // the config, written below
    c.run();
    Snapshot before = snapshot(c.files / "");
    const auto foreign = [](const std::string& path) {
        static const std::regex ours(
            R"((compare\.json|comparison\.json|compare\.html|log\.txt|(plain|general)(/variant\.json|/seed-1)?))");
        static const std::regex in_run(R"((?:plain|general)/seed-1/(.*))");
        std::smatch match;
        const std::string below = path.substr(std::min<std::size_t>(4, path.size()));
        return path != "out" && !std::regex_match(below, ours) &&
               !(std::regex_match(below, match, in_run) && is_a_runs(match[1].str()));
    };
    const auto others = [&] {
        Strings all;
        for (const std::string& path : changed(before, snapshot(c.files / "")))
            if (foreign(path))
                all.push_back(path);
        return all;
    };
    CHECK(c.files.summary("out/general/seed-1")["status"] == "finished");
    CHECK(c.files.summary("out/plain/seed-1")["status"] == "finished");
    CHECK(others() == none);
    CHECK(c.run() == "");
    CHECK(others() == none);
    CHECK(c.run(Existing::resume, Extend::with_schedule, {"train.steps=16", "schedule=constant"}) == "");
    CHECK(others() == none);
    CHECK(c.files.summary("out/general/seed-1")["steps"] == 16);
    CHECK(c.run(Existing::overwrite) == "");
    CHECK(others() == none);
    CHECK(c.files.summary("out/plain/seed-1")["status"] == "finished");
}

TEST_CASE("compare writes over nobody's files and through no links") {
    for (const char* name : {"compare.json", "compare.html", "log.txt", "plain/variant.json", "plain/seed-1/metrics.jsonl",
                             "plain/seed-1/config.json"})
        for (const Existing existing : {Existing::resume, Existing::overwrite}) {
            CAPTURE(name);
            const Compares c;
            write(c.files / "out" / name, "mine");
            c.files.run("other");
            const std::string message = c.run(existing);  // writes two.json
            const Snapshot now = snapshot(c.files / "out");
            CHECK_MESSAGE(contains(message, fs::path(name).filename().string()), message);
            CHECK(c.files.text(fs::path("out") / name) == "mine");
            std::size_t regular = 0;
            for (const auto& [path, text] : now) regular += fs::is_regular_file(c.files / "out" / path);
            CHECK(regular == 1);
        }
    const Compares c;
    REQUIRE(c.run() == "");
    for (const char* name : {"compare.json", "compare.html", "log.txt", "plain/variant.json", "plain/seed-1/messages.txt"}) {
        const fs::path there = c.files / "outside" / ("my " + fs::path(name).filename().string());
        fs::create_directories(there.parent_path());
        fs::rename(c.files / "out" / name, there);
        fs::create_symlink(there, c.files / "out" / name);
    }
    const Snapshot before = snapshot(c.files / "outside");
    fs::remove(c.files / "out/plain/seed-1/summary.json");  // so that its process is started again
    CHECK(c.run() == "");
    CHECK(changed(before, snapshot(c.files / "outside")) == none);
    CHECK(!fs::is_symlink(c.files / "out/compare.json"));
    CHECK(!fs::is_symlink(c.files / "out/plain/seed-1/messages.txt"));
    // Folders of a comparison that are links.
    for (const char* name : {"plain/seed-1", "plain"}) {
        fs::rename(c.files / "out" / name, c.files / "outside/folder");
        fs::create_symlink(c.files / "outside/folder", c.files / "out" / name);
        const Snapshot linked = snapshot(c.files / "");
        for (const Existing existing : {Existing::resume, Existing::overwrite}) {
            const std::string message = c.run(existing);
            CHECK_MESSAGE(contains(message, "there is a link where"), message);
            CHECK(changed(linked, snapshot(c.files / "")) == none);
        }
        fs::remove(c.files / "out" / name);
        fs::rename(c.files / "outside/folder", c.files / "out" / name);
    }
}
TEST_CASE("a comparison whose folder is taken away while it runs says so, and writes nothing into what stands there") {
    const SmallRun files;
    write(files / "two.json", R"({"base": "small.json", "seeds": [1], "variants": {
        "general": {"model.attention.score": "general"}, "plain": {}}})");
    compare::CompareRequest r;
    r.comparison = compare::read_comparison((files / "two.json").string(), {"train.steps=2000", "train.evaluate_every=1000"});
    r.folder = (files / "out").string();
    r.threads = 2;
    r.start = forked;
    r.stop = [&] {
        if (fs::exists(files / "out/plain/seed-1/metrics.jsonl") && !fs::exists(files / "moved")) {
            fs::rename(files / "out", files / "moved");
            fs::create_directory(files / "out");
        }
        return 0;
    };
    const std::string message = message_of<MachineError>([&] { run_comparison(r); });
    CHECK_MESSAGE(contains(message, "out: the run's folder was removed, renamed or replaced"), message);
    CHECK(fs::is_empty(files / "out"));
}

TEST_SUITE_END();

#endif

}  // namespace compare_files_test
