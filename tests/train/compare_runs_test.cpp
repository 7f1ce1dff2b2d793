// Comparisons that are run: children, folders, resuming, Ctrl-C, what diverges and what fails.
#include <doctest/doctest.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <iostream>

#include "tests/train/run_support.h"
#include "train/compare/compare.h"

#if !defined(ATTEND_SANITIZED)  // they do not follow a fork into threads

TEST_SUITE_BEGIN("train: compare runs");

using namespace attend;
using namespace attend::compare;
using attend::testing::contains;
using attend::testing::message_of;
using attend::testing::SmallRun;
namespace fs = std::filesystem;

namespace {

// What start_process() does, without another program: the tests' own has no commands.
pid_t forked(const Job& job) {
    const pid_t process = ::fork();
    if (process != 0)
        return process;
    become_job(messages(job.folder).c_str());
    ::_exit(cli::run(job.arguments, {std::cin, std::cout, std::cerr, false}));
}

struct Compares {
    SmallRun files;
    std::string config(const std::string& text) const {
        std::ofstream(files / "compare.json") << text;
        return (files / "compare.json").string();
    }
    CompareRequest request(const std::string& text, const std::vector<std::string>& set = {}) const {
        CompareRequest r;
        r.comparison = read_comparison(config(text), set);
        r.folder = (files / "out").string();
        r.threads = 2;
        r.start = forked;
        return r;
    }
    Json json() const { return Json::parse(files.text("out/compare.json")); }
};

const std::string two = R"({"base": "small.json", "seeds": [1, 2], "variants": {
    "general": {"model.attention.score": "general"}, "concat": {"model.attention.score": "concat"}}})";
const std::string three = R"({"base": "small.json", "seeds": [1, 2, 5], "variants": {
    "general": {"model.attention.score": "general"}, "concat": {"model.attention.score": "concat"}, "plain": {}}})";

}  // namespace

TEST_CASE("runs are made once, and more seeds and variants add what is missing") {
    const Compares c;
    const Compared first = run_comparison(c.request(two));
    CHECK(first.begun == 4);
    for (const Row& row : first.table.rows) CHECK(row.finished == 2);
    CHECK(c.json()["variants"][1]["changed"][0]["option"] == "model.attention.score.type");
    CHECK(c.json()["variants"][1]["each"][1]["status"] == "finished");
    CHECK(contains(c.files.text("out/compare.html"), "<!DOCTYPE html>"));
    CHECK(c.files.summary("out/concat/seed-2")["status"] == "finished");
    // what a child makes is what train makes
    c.files.run("alone", {"model.attention.score=concat", "seed=2"});
    CHECK(c.files.model("alone") == c.files.model("out/concat/seed-2"));
    CHECK(first.table.rows[1].values[1].value() == c.files.summary("alone")["test"]["loss"].get<double>());

    const Compared again = run_comparison(c.request(two));
    CHECK(again.begun == 0);
    CHECK(text_of(again.table, "x") == text_of(first.table, "x"));
    const Compared more = run_comparison(c.request(three));
    CHECK(more.begun == 5);
    CHECK(more.table.rows[0].values[1] == first.table.rows[0].values[1]);

    CompareRequest anew = c.request(two);
    anew.existing = Existing::overwrite;
    CHECK(run_comparison(anew).begun == 4);
}

TEST_CASE("a changed config is refused for runs there are, and more steps go on") {
    const Compares c;
    run_comparison(c.request(two));
    const std::string before = c.files.text("out/compare.json");
    const auto refused = [&](const std::vector<std::string>& set) {
        return message_of([&] { run_comparison(c.request(two, set)); });
    };
    std::string message = refused({"train.batch=8"});
    CHECK_MESSAGE(contains(message, "out/general/seed-1/config.json: not the run that this comparison asks for:"), message);
    CHECK(contains(message, "\n  train.batch: before 9, now 8\n"));
    message = refused({"train.steps=10"});
    CHECK_MESSAGE(contains(message, "more steps than this comparison does: train.steps before 12, now 10"), message);
    CHECK(contains(refused({"train.evaluate_every=3"}), "train.evaluate_every: before 4, now 3"));
    CHECK(c.files.text("out/compare.json") == before);

    const Compared longer = run_comparison(c.request(two, {"train.steps=16"}));
    CHECK(longer.begun == 4);
    CHECK(c.json()["variants"][0]["each"][0]["steps"] == 16);
    CHECK(run_comparison(c.request(two, {"train.steps=16"})).begun == 0);

    // a training run's folder, and one that another comparison uses
    c.files.run("run");
    CompareRequest r = c.request(two);
    r.folder = (c.files / "run").string();
    CHECK(contains(message_of([&] { run_comparison(r); }), "run: there is a training run in this folder"));
    const RunLock held = RunFolder(c.files / "out").lock();
    CHECK(contains(message_of([&] { run_comparison(c.request(two, {"train.steps=16"})); }), "out"));
}

TEST_CASE("a run that diverges and one that fails are reported and lose no other") {
    const Compares c;
    CompareRequest r = c.request(R"({"base": "small.json", "seeds": [1, 2], "variants": {
        "plain": {},
        "wild": {"optimizer": {"type": "sgd", "learning_rate": 1000, "momentum": 0.99, "weight_decay": 1}, "schedule": "constant",
                 "train.clip_norm": 0, "train.steps": 400, "train.evaluate_every": 1000},
        "broken": {"model.hidden": 5}}})");
    r.start = [](const Job& job) {
        if (job.variant != "broken")
            return forked(job);
        const pid_t process = ::fork();
        if (process == 0) {
            become_job(messages(job.folder).c_str());
            std::cerr << "attend: the disk is full" << std::endl;
            ::_exit(1);
        }
        return process;
    };
    const Compared result = run_comparison(r);
    CHECK(result.table.rows[0].finished == 2);
    CHECK(result.table.rows[1].diverged == 2);
    CHECK(result.table.rows[2].failed == 2);
    CHECK(c.json()["variants"][2]["each"][0]["message"] == "the disk is full");
    CHECK(contains(c.json()["variants"][1]["each"][0]["message"].get<std::string>(), "step "));
    // what diverged stays so, what failed is tried again
    CHECK(run_comparison(r).begun == 2);
}

TEST_CASE("a signal goes to the runs, which save, and the same comparison goes on to the same bits") {
    const Compares c;
    const std::vector<std::string> set = {"train.steps=3000", "train.evaluate_every=1500", "train.log_every=10"};
    CompareRequest r = c.request(two, set);
    const fs::path seen = c.files / "out/concat/seed-1";
    r.stop = [&] { return step_reached(seen) > 0 ? SIGINT : 0; };
    const Compared stopped = run_comparison(r);
    CHECK(stopped.stopped);
    CHECK(!fs::exists(c.files / "out/compare.json"));
    CHECK(c.files.summary("out/concat/seed-1")["status"] == "stopped");
    CHECK(!fs::exists(c.files / "out/concat/seed-2/config.json"));
    const int64_t at = c.files.summary("out/concat/seed-1")["steps"].get<int64_t>();
    CHECK(at > 0);
    CHECK(at < 3000);

    r.stop = {};
    const Compared done = run_comparison(r);
    CHECK(done.begun == 4);
    CHECK(!done.stopped);
    for (const Row& row : done.table.rows) CHECK(row.finished == 2);
    std::vector<std::string> whole = set;
    whole.insert(whole.end(), {"model.attention.score=concat", "seed=1"});
    c.files.run("alone", whole);
    CHECK(c.files.model("alone") == c.files.model("out/concat/seed-1"));
}

TEST_CASE("a job's process has its own group, nothing to read, and ends with its parent") {
    const SmallRun files;
    const fs::path folder = files / "job";
    fs::create_directories(folder);
    const auto start = [](const Job& job) {
        const pid_t process = ::fork();
        if (process == 0) {
            become_job(messages(job.folder).c_str());
            char byte = 0;
            ::_exit(::getpgrp() == ::getpid() && ::read(0, &byte, 1) == 0 ? 0 : 1);
        }
        return process;
    };
    const Job job{"a", "a", folder, {}, 1, 0};
    const auto ends = run_jobs({job, job, job}, {.parallel = 2, .start = start, .stop = {}, .terminal = {}, .log = {}});
    REQUIRE(ends.size() == 3);
    for (const auto& end : ends) {
        REQUIRE(end.has_value());
        CHECK(end->code == 0);
    }

    // a parent that is killed takes the job along
    int ends_of[2];
    REQUIRE(::pipe(ends_of) == 0);
    const pid_t parent = ::fork();
    if (parent == 0) {
        const pid_t child = ::fork();
        if (child == 0) {
            become_job(messages(folder).c_str());
            ::close(ends_of[0]);
            const pid_t self = ::getpid();
            if (::write(ends_of[1], &self, sizeof self) != sizeof self)
                ::_exit(1);
            ::alarm(60);
            for (;;) ::pause();
        }
        ::close(ends_of[1]);
        for (;;) ::pause();
    }
    ::close(ends_of[1]);
    pid_t child = 0;
    REQUIRE(::read(ends_of[0], &child, sizeof child) == sizeof child);
    ::kill(parent, SIGKILL);
    ::waitpid(parent, nullptr, 0);
    pollfd gone{ends_of[0], POLLIN, 0};
    CHECK(::poll(&gone, 1, 10'000) == 1);  // the last end for writing has gone with the child
    ::close(ends_of[0]);
}

TEST_SUITE_END();

#endif
