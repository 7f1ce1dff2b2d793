// Comparisons that are run: children, folders, resuming, Ctrl-C, what diverges and what fails.
#include <doctest/doctest.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <iostream>
#include <thread>

#include "tests/train/commands.h"
#include "tests/train/compare_processes.h"
#include "train/study/compare/compare.h"
#include "train/study/compare/present.h"
#include "train/study/compare/table_text.h"

namespace compare_runs_test {

#if !defined(ATTEND_SANITIZED)  // they do not follow a fork into threads

TEST_SUITE_BEGIN("train: compare runs");

using namespace attend;
using namespace attend::compare;
using attend::testing::attend_command;
using attend::testing::Compares;
using attend::testing::contains;
using attend::testing::failing;
using attend::testing::forked;
using attend::testing::message_of;
using attend::testing::SmallRun;
namespace fs = std::filesystem;

namespace {

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
    CHECK(c.json()["variants"][1]["changed"][0]["option"] == "model.attention.score");
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

TEST_CASE("a changed config is refused for runs there are, and more steps without --extend") {
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

    message = refused({"train.steps=16"});
    CHECK_MESSAGE(contains(message,
                           "out: 4 of 4 runs have fewer steps than this comparison asks for, and continuing them needs "
                           "--extend: general/seed-1, concat/seed-1, general/seed-2, concat/seed-2, train.steps 12 to "
                           "16; --overwrite trains all of them again"),
                  message);
    CHECK(c.files.text("out/compare.json") == before);

    // a training run's folder, and one that another comparison uses
    c.files.run("run");
    CompareRequest r = c.request(two);
    r.folder = (c.files / "run").string();
    CHECK(contains(message_of([&] { run_comparison(r); }), "run: there is a training run in this folder"));
    const RunLock held = RunFolder(c.files / "out").lock();
    CHECK(contains(message_of([&] { run_comparison(c.request(two)); }), "out"));
}

TEST_CASE("a comparison is extended as a whole, and says so") {
    const Compares c;
    const std::vector<std::string> constant = {"schedule=constant"}, longer = {"schedule=constant", "train.steps=16"};
    run_comparison(c.request(two, constant));
    const auto extend = [&](const std::string& text, const std::vector<std::string>& set, Extend how = Extend::yes) {
        CompareRequest r = c.request(text, set);
        r.extend = how;
        return run_comparison(r);
    };
    // a third seed and variant would have all steps at once
    std::string message = message_of([&] { extend(three, longer); });
    CHECK_MESSAGE(contains(message,
                           "out: a comparison has no runs that were extended beside such of all steps at once: extended, or "
                           "to be, general/seed-1, concat/seed-1, general/seed-2, concat/seed-2; at once plain/seed-1, "),
                  message);
    CHECK(c.files.summary("out/general/seed-1")["steps"] == 12);

    const Compared done = extend(two, longer);
    CHECK(done.begun == 4);
    CHECK(c.json()["variants"][1]["each"][0]["steps"] == 16);
    CHECK(c.json()["variants"][1]["each"][0]["extended"] == Json::parse(R"([{"at": 12, "before": 12, "now": 16}])"));
    CHECK(c.json()["variants"][1]["extended"] == 2);
    CHECK(contains(text_of(done.table, "x"), "These runs were extended beyond the end"));
    CHECK(run_comparison(c.request(two, longer)).begun == 0);  // they are there
    CHECK(contains(message_of([&] { run_comparison(c.request(three, longer)); }), "at once plain/seed-1, "));
    CompareRequest anew = c.request(two, longer);
    anew.existing = Existing::overwrite;
    CHECK(run_comparison(anew).begun == 4);
    CHECK(!c.json()["variants"][1]["each"][0].contains("extended"));
    CHECK(run_comparison(c.request(two, longer)).begun == 0);
}

TEST_CASE("a comparison whose schedules depend on the steps is extended with another, and one run of it in no other way") {
    const Compares c;
    run_comparison(c.request(two));
    const auto extend = [&](const std::vector<std::string>& set, Extend how) {
        CompareRequest r = c.request(two, set);
        r.extend = how;
        return run_comparison(r);
    };
    CHECK(contains(message_of([&] { extend({"train.steps=16"}, Extend::yes); }),
                   "out/general/seed-1/config.json: the schedule depends on the number of steps and was laid over fewer"));
    // the same schedule, which begins anew: each run is told that it was asked for
    CHECK(extend({"train.steps=16", "schedule.type=cosine"}, Extend::with_schedule).begun == 4);
    const Json json = c.json();
    for (const Json& variant : json["variants"]) CHECK(variant["finished"] == 2);
    CHECK(Json::parse(c.files.text("out/concat/seed-2/config.json"))["extended"]["schedule_from"] == 12);
    CHECK(run_comparison(c.request(two, {"train.steps=16"})).begun == 0);

    // one of them further than the others
    TrainRequest alone;
    alone.folder = (c.files / "out/concat/seed-2").string();
    alone.experiment = RunFolder(alone.folder).experiment();
    alone.experiment.train.steps = 20;
    alone.existing = Existing::resume;
    alone.extend = Extend::with_schedule;
    train(alone);
    const std::string message = message_of([&] { extend({"train.steps=20", "schedule.type=cosine"}, Extend::with_schedule); });
    CHECK_MESSAGE(message.empty(), message);  // the others follow
    alone.experiment = RunFolder(alone.folder).experiment();
    alone.experiment.train.steps = 22;
    train(alone);
    alone.experiment = RunFolder(alone.folder).experiment();
    alone.experiment.train.steps = 24;
    train(alone);
    CHECK(contains(
        message_of([&] {
            extend({"train.steps=24", "schedule.type=cosine"}, Extend::with_schedule);
        }),
        "out: the runs of a comparison are extended in one way: general/seed-1 from 12 to 16, 16 to 20, 20 to 24 steps, "
        "concat/seed-2 from 12 to 16, 16 to 20, 20 to 22, 22 to 24 steps"));
}

TEST_CASE("runs that have not finished are finished before they are extended, and epochs are steps") {
    const Compares c;
    const std::vector<std::string> set = {"schedule=constant", "train.steps=auto", "train.epochs=2"};
    run_comparison(c.request(two, set));
    CHECK(run_comparison(c.request(two, set)).begun == 0);
    CHECK(contains(
        message_of([&] {
            run_comparison(c.request(two, {set[0], set[1], "train.epochs=3"}));
        }),
        "4 of 4 runs have fewer steps than this comparison asks for, and continuing them needs --extend: general/seed-1"));
    fs::remove(c.files / "out/concat/seed-2/summary.json");  // as a run that was killed leaves it
    CompareRequest r = c.request(two, {set[0], set[1], "train.epochs=3"});
    r.extend = Extend::yes;
    CHECK(contains(
        message_of([&] { run_comparison(r); }),
        "out/concat/seed-2: a run of a comparison is extended after it has finished: unfinished, train.steps before 14, "
        "now 21; the comparison with 14 steps finishes it"));
}

TEST_CASE("runs that a comparison left behind are waited for, and told apart by their messages") {
    const Compares c;
    run_comparison(c.request(two));
    fs::remove(c.files / "out/concat/seed-2/summary.json");
    int ready[2], leave[2];
    REQUIRE(::pipe(ready) == 0);
    REQUIRE(::pipe(leave) == 0);
    const fs::path folder = c.files / "out/concat/seed-2";
    const pid_t left = ::fork();  // a run that saves, and writes its messages while it does
    if (left == 0) {
        const RunLock held = RunFolder(folder).lock();
        std::ofstream said(messages(folder), std::ios::app);
        char byte = 0;
        if (::write(ready[1], "x", 1) != 1 || ::read(leave[0], &byte, 1) != 1)
            ::_exit(1);
        for (int i = 0; i < 10; ++i) {
            std::this_thread::sleep_for(std::chrono::milliseconds(30));
            said << "an old process" << std::endl;
        }
        fs::remove(folder / ".lock");  // as the lock's end does
        ::_exit(0);
    }
    char byte = 0;
    REQUIRE(::read(ready[0], &byte, 1) == 1);
    CHECK(lock_holder(folder) == std::to_string(left));
    CompareRequest r = c.request(two);
    r.patience = std::chrono::milliseconds(1);
    const std::string message = message_of([&] { run_comparison(r); });
    CHECK_MESSAGE(
        contains(message, fmt::format("out: other processes train in this folder: concat/seed-2 (process {}); waited", left)),
        message);
    REQUIRE(::write(leave[1], "x", 1) == 1);
    r.patience = std::chrono::milliseconds(60'000);
    const Compared done = run_comparison(r);
    CHECK(done.begun == 1);
    CHECK(done.table.rows[1].failed == 0);
    CHECK(done.table.rows[1].finished == 2);
    CHECK(!contains(c.files.text("out/concat/seed-2/messages.txt"), "an old process"));
    CHECK(lock_holder(folder).empty());
    ::waitpid(left, nullptr, 0);
    for (const int end : {ready[0], ready[1], leave[0], leave[1]}) ::close(end);
    // told to stop while it waits
    const RunLock held = RunFolder(folder).lock();
    r.stop = [begin = std::chrono::steady_clock::now()] {
        return std::chrono::steady_clock::now() - begin > std::chrono::milliseconds(300) ? SIGINT : 0;
    };
    CHECK(run_comparison(r).stopped);
}

TEST_CASE("a comparison that is told to stop while its data are read makes nothing") {
    const Compares c;
    CompareRequest r = c.request(two);
    r.stop = [] { return SIGTERM; };
    CHECK(run_comparison(r).stopped);
    CHECK(!std::filesystem::exists(c.files / "out"));
}

TEST_CASE("a comparison has all runs of the same data") {
    const Compares c;
    const auto write = [&](const char* text) { std::ofstream(c.files / "x.tsv") << text; };
    write("a b\tb a\nb c\tc b\nc a\ta c\n");
    const std::vector<std::string> set = {"data={\"task\": \"tsv\", \"train\": \"" + (c.files / "x.tsv").string() + "\"}",
                                          "train.batch=2", "train.shards=1", "train.steps=3"};
    run_comparison(c.request(two, set));
    write("a b\ta b\nb c\tb c\nc a\tc a\n");
    CHECK(contains(message_of([&] { run_comparison(c.request(three, set)); }),
                   "out/general/seed-1/config.json: not the data that this comparison has now: files [x.tsv 24 "));
    write("a b\tb a\nb c\tc b\nc a\ta c\n");
    CHECK(run_comparison(c.request(two, set)).begun == 0);
}

TEST_CASE("a comparison has all runs begun with the same weights") {
    const Compares c;
    c.files.run("source");
    const std::vector<std::string> set = {"init.from=" + (c.files / "source").string(), "init.take=encoder.*"};
    const std::string one = R"({"base": "small.json", "seeds": [1], "variants": {"a": {}, "b": {"train.clip_norm": 2}}})";
    run_comparison(c.request(one, set));
    const auto weights = c.files.summary("out/a/seed-1")["weights"].get<std::string>();
    CHECK(weights.starts_with("model.safetensors "));
    CHECK(run_comparison(c.request(one, set)).begun == 0);
    TrainRequest other = c.files.request("source", {"seed=8"});
    other.existing = Existing::overwrite;
    train(other);
    CHECK(contains(message_of([&] { run_comparison(c.request(one, set)); }),
                   "out/a/seed-1/config.json: not the weights that init.from names now: file [model.safetensors "));
}

TEST_CASE("what a variant changes is named, a changed row in one line, in the table, compare.json and the page") {
    const Compares c;
    const Compared result = run_comparison(c.request(R"({"base": "small.json", "seeds": [1], "variants": {
        "soft": {},
        "drawn": {"model.attention.select": {"type": "hard", "estimator": {"type": "reinforce", "samples": 2}}},
        "more": {"model.attention.select": {"type": "hard", "estimator": {"type": "reinforce", "samples": 3}}},
        "none": {"model.attention": "none", "model.bidirectional": false}}})"));
    const Json json = c.json();
    const std::string table = text_of(result.table, "x", changes_text(RecordReader("compare.json", json)));
    const auto changes = [&](std::size_t variant) { return json["variants"][variant]["changed"]; };
    for (const auto& [variant, samples] : {std::pair(1, 2), std::pair(2, 3)}) {
        REQUIRE(changes(static_cast<std::size_t>(variant)).size() == 1);
        const Json change = changes(static_cast<std::size_t>(variant))[0];
        CHECK(change["option"] == "model.attention.select");
        CHECK(change["reference"] == "\"soft\"");
        CHECK(change["variant"] ==
              fmt::format(R"({{"type": "hard", "estimator": {{"type": "reinforce", "samples": {}}}}})", samples));
    }
    REQUIRE(changes(3).size() == 2);
    CHECK(changes(3)[1] == Json{{"option", "model.attention"}, {"reference", "\"weighted\""}, {"variant", "\"none\""}});
    CHECK(contains(table, "none     model.attention         weighted  none\n"));
    CHECK(contains(table,
                   R"(drawn    model.attention.select  soft      {"type": "hard", "estimator": {"type": "reinforce")"));
    CHECK(contains(c.files.text("out/compare.html"), "model.attention.select"));

    // A command that needs one run says which there are.
    const std::string out = (c.files / "out").string();
    CHECK(
        contains(attend_command({"eval", out}).error, out +
                                                          ": this is the folder of a comparison, which has several runs: name "
                                                          "one of them, " +
                                                          out + "/VARIANT/seed-N, as " + out + "/drawn/seed-1"));
    CHECK(contains(attend_command({"eval", out + "/soft"}).error,
                   "a variant of a comparison, which has several runs: name one of "
                   "them, " +
                       out + "/soft/seed-N, as " + out + "/soft/seed-1"));
}

TEST_CASE("a run whose loss exploded is counted as such") {
    const Compares c;
    const Compared result = run_comparison(c.request(R"({"base": "small.json", "seeds": [1, 2], "variants": {
        "plain": {},
        "wild": {"optimizer": {"type": "sgd", "learning_rate": 300}, "schedule": "constant", "train.clip_norm": 0,
                 "train.steps": 40, "train.evaluate_every": 40}}})"));
    CHECK(result.table.rows[0].exploded == 0);
    CHECK(result.table.rows[1].exploded == 2);
    CHECK(contains(text_of(result.table, "x"), "wild: the loss of 2 of 2 finished runs ended far above where it began"));
    CHECK(c.json()["variants"][1]["each"][0]["loss_exploded"]["last"].get<double>() > 7);
}

TEST_CASE("a run that diverges and one that fails are reported and lose no other") {
    const Compares c;
    CompareRequest r = c.request(R"({"base": "small.json", "seeds": [1, 2], "variants": {
        "plain": {},
        "wild": {"optimizer": {"type": "sgd", "learning_rate": 1000, "momentum": 0.99, "weight_decay": 1}, "schedule": "constant",
                 "train.clip_norm": 0, "train.steps": 400, "train.evaluate_every": 1000},
        "broken": {"model.hidden": 5}}})");
    r.start = [](const Job& job) { return job.variant == "broken" ? failing(job) : forked(job); };
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
        const pid_t parent = ::getpid(), process = ::fork();
        if (process == 0) {
            become_job(messages(job.folder).c_str(), parent);
            char byte = 0;
            ::_exit(::getpgrp() == ::getpid() && ::read(0, &byte, 1) == 0 ? 0 : 1);
        }
        return process;
    };
    const Job job{"a", "a", folder, {}, 1, 0};
    const auto ends = run_jobs({job, job, job}, {.parallel = 2, .start = start, .stop = {}});
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
        const pid_t self_before = ::getpid(), child = ::fork();
        if (child == 0) {
            become_job(messages(folder).c_str(), self_before);
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

}  // namespace compare_runs_test
