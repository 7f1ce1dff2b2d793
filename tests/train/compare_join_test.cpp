// Several processes that share the runs of a comparison: claims, takeovers, failures, job arrays.
#include "train/study/compare/join.h"

#include <doctest/doctest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <random>
#include <thread>

#include "core/base/own_files.h"
#include "tests/train/compare_processes.h"
#include "train/study/compare/folder.h"
#include "train/study/compare/table_text.h"

namespace compare_join_test {

TEST_SUITE_BEGIN("train: compare join");

using namespace attend;
using namespace attend::compare;
using attend::oracles::TemporaryFolder;
using attend::testing::attend_command;
using attend::testing::Compares;
using attend::testing::contains;
using attend::testing::failing;
using attend::testing::forked;
using attend::testing::message_of;
using attend::testing::Outcome;
using attend::testing::SmallRun;
using std::chrono::milliseconds;
namespace fs = std::filesystem;

namespace {

const std::string two = R"({"base": "small.json", "seeds": [1, 2], "variants": {
    "general": {"model.attention.score": "general"}, "concat": {"model.attention.score": "concat"}}})";

// An owner on another machine, as far as anybody can tell.
Holder elsewhere(const fs::path& root, const std::string& name) {
    const fs::path folder = root / ".claims" / name;
    fs::create_directories(folder);
    const std::string id = "node7-00000000-4711-0123456789abcdef";
    std::ofstream(folder / id) << id << "\n0\n";
    return Claims(root).holder(name).value();
}

}  // namespace

TEST_CASE("a claim has one owner, who gives it back or loses it") {
    const TemporaryFolder root;
    const Claims claims(root.path());
    CHECK(!claims.holder("a,seed-1"));
    std::optional<Claim> first = claims.take("a,seed-1");
    REQUIRE(first);
    CHECK(!claims.take("a,seed-1"));
    CHECK(claims.take("b,seed-1").has_value());  // given back at once
    const Holder holder = claims.holder("a,seed-1").value();
    CHECK(holder.process == ::getpid());
    CHECK(!Watch::has_ended(holder));
    CHECK(first->renew());
    CHECK(claims.holder("a,seed-1")->text != holder.text);

    std::optional<Claim> second = claims.take_over("a,seed-1", holder);
    REQUIRE(second);
    CHECK(!claims.take_over("a,seed-1", holder));  // of one owner it is taken over once
    CHECK(!first->renew());
    first.reset();  // gives nothing back
    CHECK(second->renew());
    CHECK(second->renew());
    CHECK(claims.holder("a,seed-1").has_value());
    second.reset();
    CHECK(!claims.holder("a,seed-1"));
    CHECK(claims.take("a,seed-1").has_value());
    claims.tidy();
    CHECK(!fs::exists(root.path() / ".claims"));
}

TEST_CASE("of many that want a claim at the same moment, or want it from a dead owner, one gets it") {
    const TemporaryFolder root;
    const Claims claims(root.path());
    constexpr int threads = 4, rounds = 50;
    for (int round = 0; round < rounds; ++round) {
        const std::string name = fmt::format("a,seed-{}", round);
        const std::optional<Holder> old = round % 2 ? std::optional(elsewhere(root.path(), name)) : std::nullopt;
        std::vector<std::optional<Claim>> got(threads);
        std::vector<std::thread> all;
        for (int t = 0; t < threads; ++t)
            all.emplace_back(
                [&, t] { got[static_cast<std::size_t>(t)] = old ? claims.take_over(name, *old) : claims.take(name); });
        for (std::thread& t : all) t.join();
        CHECK(std::ranges::count_if(got, [](const auto& claim) { return claim.has_value(); }) == 1);
    }
}

TEST_CASE("an owner is dead when it says nothing for long enough by the clock of who looks, or has ended here") {
    const TemporaryFolder root;
    const Claims claims(root.path());
    Watch watch(std::chrono::seconds(10));
    Holder holder = elsewhere(root.path(), "a,seed-1");
    const Clock::time_point begin = Clock::now();
    const auto after = [&](int seconds) { return watch.look("a,seed-1", holder, begin + std::chrono::seconds(seconds)); };
    CHECK(after(0) == Watch::Life::unsure);
    CHECK(after(9) == Watch::Life::unsure);
    holder.text += "1";
    CHECK(after(11) == Watch::Life::alive);
    CHECK(after(20) == Watch::Life::alive);
    CHECK(after(21) == Watch::Life::silent);
    // what the file's times say plays no part: an hour ahead, and in 1970
    for (const auto time : {fs::file_time_type::clock::now() + std::chrono::hours(1), fs::file_time_type{}}) {
        fs::last_write_time(root.path() / ".claims/a,seed-1" / holder.id, time);
        CHECK(watch.look("a,seed-1", claims.holder("a,seed-1").value(), begin + std::chrono::seconds(22)) !=
              Watch::Life::silent);
    }

    const pid_t child = ::fork();
    if (child == 0) {
        (void)new Claim(std::move(*claims.take("b,seed-1")));  // never given back
        ::_exit(0);
    }
    ::waitpid(child, nullptr, 0);
    const Holder ended = claims.holder("b,seed-1").value();
    CHECK(ended.process == child);
    CHECK(watch.look("b,seed-1", ended) == Watch::Life::ended);
    claims.tidy();
    CHECK(!claims.holder("b,seed-1"));
    CHECK(claims.holder("a,seed-1"));  // another machine's is left alone
}

TEST_CASE("training whose claim is lost writes nothing more") {
    const SmallRun files;
    TrainRequest r = files.request("run", {"train.steps=20"});
    r.claim = (files / "claim").string();
    CHECK(contains(message_of<MachineError>([&] { train(r); }), "run: the claim on this run is lost"));
    CHECK(!fs::exists(files / "run/config.json"));
    std::ofstream(files / "claim") << "claim\n0";
    r.after_step = [&](int64_t step) {
        if (step == 6)
            std::ofstream(files / "claim") << "other\n0";
    };
    CHECK(contains(message_of<MachineError>([&] { train(r); }), "the file begins with another name; nothing more is written"));
    CHECK(files.metrics("run").back()["step"] == 5);
    CHECK(!fs::exists(files / "run/summary.json"));
    CHECK(fs::exists(files / "run/checkpoints/step-4"));
    CHECK(!fs::exists(files / "run/checkpoints/step-8"));
    std::ofstream(files / "claim") << "claim\n1";  // whoever has it now continues
    r.existing = Existing::resume;
    r.after_step = {};
    train(r);
    files.run("alone", {"train.steps=20"});
    CHECK(files.model("run") == files.model("alone"));
}

TEST_CASE("the last runs get the threads that nobody else uses") {
    const SmallRun files;
    fs::create_directories(files / "job");
    const auto threads_of = [&](int jobs, int threads) {
        std::vector<std::string> given;
        const auto start = [&](const Job& job) {
            given.push_back(job.arguments.back());
            const pid_t process = ::fork();
            if (process == 0)
                ::_exit(0);
            ::waitpid(process, nullptr, WNOWAIT | WEXITED);
            return process;
        };
        const Job job{.name = "a", .variant = "a", .folder = files / "job", .arguments = {"train"}, .steps = 1};
        run_jobs(std::vector<Job>(static_cast<std::size_t>(jobs), job),
                 {.parallel = std::min(jobs, threads), .threads = threads, .start = start, .stop = {}});
        std::string all;
        for (const std::string& g : given) all += g.substr(std::string("--threads=").size()) + " ";
        return all;
    };
    CHECK(threads_of(1, 4) == "4 ");
    CHECK(threads_of(2, 2) == "1 1 ");
    CHECK(threads_of(3, 2) == "1 1 2 ");
    CHECK(threads_of(2, 3) == "1 2 ");
    CHECK(threads_of(5, 4).starts_with("1 1 1 1 "));
    CHECK(threads_of(5, 4).ends_with(" 4 "));
}

TEST_CASE("list numbers the runs, and a comparison's folder has metrics and a report") {
    const Compares c;
    const std::string config = c.config(two), out = (c.files / "out").string();
    const auto list = [&](const char* more) { return attend_command({"compare", config, "--out", out, "--list", more}).out; };
    Json listed = Json::parse(list("--json"));
    REQUIRE(listed.size() == 4);
    CHECK(listed[0]["task"] == 1);
    CHECK(listed[1]["variant"] == "concat");
    CHECK(listed[3]["seed"] == 2);
    CHECK(listed[3]["status"] == "missing");
    CHECK(!fs::exists(out));
#if !defined(ATTEND_SANITIZED)
    run_comparison(c.request(two));
    elsewhere(out, "concat,seed-2");
    listed = Json::parse(list("--json"));
    CHECK(listed[0]["status"] == "finished");
    CHECK(listed[0]["step"] == 12);
    CHECK(listed[3]["holder"] == "node7, process 4711");
    CHECK(contains(list("--aa"), "6\taa\t2\t"));

    const Outcome metrics = attend_command({"metrics", out, "--split", "test"});
    CHECK(metrics.out.starts_with("variant,seed,step,split,loss,"));
    CHECK(std::ranges::count(metrics.out, '\n') == 5);
    CHECK(contains(metrics.out, "\nconcat,2,12,test,"));
    CHECK(contains(attend_command({"metrics", out, "--split", "nosplit"}).error, "--split"));

    fs::remove(c.files / "out/compare.html");
    fs::remove_all(c.files / "out/concat/seed-2");
    CHECK(attend_command({"report", out}).out == out + "/compare.html\n");
    CHECK(contains(c.files.text("out/compare.html"), "missing"));
    CHECK(attend_command({"report", out, "--out", (c.files / "x.html").string()}).code == 0);
    CHECK(c.files.text("x.html") == c.files.text("out/compare.html"));
    CHECK(contains(attend_command({"report", out, out}).error, "report: a comparison's folder is given alone"));
#endif
}

#if !defined(ATTEND_SANITIZED)  // they do not follow a fork into threads

namespace {

const std::vector<std::string> longer = {"train.steps=3000", "train.evaluate_every=300", "train.log_every=50"};

// A process that joins; its exit code is 0 when it has a table of all runs.
pid_t joiner(const CompareRequest& request, const Joining& joining, const fs::path& table = {}) {
    const pid_t process = ::fork();
    if (process != 0)
        return process;
    int code = 1;
    try {
        const Joined done = join_comparison(request, joining);
        code = done.compared.stopped || done.open > 0 ? 2 : 0;
        if (!table.empty()) {
            std::ofstream(table) << text_of(done.compared.table, "x");
            std::ofstream(table.string() + ".begun") << done.compared.begun;
        }
    } catch (const std::exception& e) {
        std::cerr << e.what() << std::endl;
    }
    ::_exit(code);
}

int ended(pid_t process) {
    int status = 0;
    ::waitpid(process, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

template <class Condition>
bool wait_for(Condition condition) {
    for (int i = 0; i < 2000; ++i, std::this_thread::sleep_for(milliseconds(10)))
        if (condition())
            return true;
    return false;
}

}  // namespace

TEST_CASE("processes share the runs, end with one table, and make the bits of a run alone") {
    const Compares c;
    const CompareRequest r = c.request(two);
    std::vector<pid_t> all;
    for (const char* table : {"t1", "t2", "t3"}) all.push_back(joiner(r, {}, c.files / table));
    for (const pid_t process : all) CHECK(ended(process) == 0);
    CHECK(c.files.text("t1") == c.files.text("t2"));
    CHECK(c.files.text("t1") == c.files.text("t3"));
    for (const Json& variant : c.json()["variants"]) CHECK(variant["finished"] == 2);
    CHECK(fs::exists(c.files / "out/compare.html"));
    CHECK(!fs::exists(c.files / "out/.claims"));
    c.files.run("alone", {"model.attention.score=concat", "seed=2"});
    CHECK(c.files.model("alone") == c.files.model("out/concat/seed-2"));
    int begun = 0;
    for (const char* table : {"t1", "t2", "t3"}) begun += std::stoi(c.files.text(std::string(table) + ".begun"));
    CHECK(begun == 4);  // each run once
    CHECK(join_comparison(r, {}).compared.begun == 0);

    // another experiment is refused before anything is done
    CHECK(contains(message_of([&] { join_comparison(c.request(two, {"train.batch=8"}), {}); }),
                   "not the run that this comparison"));
    CHECK(contains(message_of([&] {
                       join_comparison(c.request(two, {"schedule=constant", "train.steps=16"}), {});
                   }),
                   "one process alone extends runs: leave out --join"));
    const RunLock held = RunFolder(c.files / "out").lock();
    CHECK(contains(message_of([&] { join_comparison(r, {}); }), "a comparison without --join runs in this folder: process "));
}

TEST_CASE("a run whose process was killed is continued from its checkpoint to the same bits") {
    const Compares c;
    CompareRequest r = c.request(two, longer);
    r.threads = 1;
    const pid_t first = joiner(r, {});
    CHECK(wait_for([&] { return step_reached(c.files / "out/general/seed-1") > 600; }));
    ::kill(first, SIGKILL);
    CHECK(ended(first) == 128 + SIGKILL);
    r.threads = 2;
    const Joined done = join_comparison(r, {});
    CHECK(done.open == 0);
    CHECK(done.compared.begun == 4);
    for (const Row& row : done.compared.table.rows) CHECK(row.finished == 2);
    std::vector<std::string> alone = longer;
    alone.insert(alone.end(), {"model.attention.score=general", "seed=1"});
    c.files.run("alone", alone);
    CHECK(c.files.model("alone") == c.files.model("out/general/seed-1"));
    CHECK(c.files.metrics("alone").size() == c.files.metrics("out/general/seed-1").size());
}

TEST_CASE("an owner that was suspended finds its run taken over and writes nothing more") {
    const Compares c;
    const std::vector<std::string> long_run = {"train.steps=8000", "train.evaluate_every=500", "train.log_every=50"};
    CompareRequest r = c.request(R"({"base": "small.json", "seeds": [1], "variants": {
        "general": {"model.attention.score": "general"}}})",
                                 long_run);
    r.threads = 1;
    const Joining impatient{.task = std::nullopt, .renew = milliseconds(20), .silence = milliseconds(200)};
    const pid_t first = joiner(r, impatient);
    const fs::path run = c.files / "out/general/seed-1";
    CHECK(wait_for([&] { return step_reached(run) > 300; }));
    // Its child, too: on a fast machine it would be done before it is taken over. It goes on then, and
    // looks at the claim.
    const pid_t child = std::stoi(lock_holder(run));
    ::kill(first, SIGSTOP);
    ::kill(child, SIGSTOP);
    const pid_t waker = ::fork();
    if (waker == 0) {
        const Claims claims(r.folder);
        wait_for([&] {
            const std::optional<Holder> holder = claims.holder("general,seed-1");
            return holder && holder->process != first;
        });
        ::kill(child, SIGCONT);
        ::_exit(0);
    }
    r.threads = 2;
    const Joined done = join_comparison(r, impatient);
    CHECK(done.open == 0);
    CHECK(done.compared.begun == 1);
    ::kill(first, SIGCONT);
    CHECK(ended(first) == 0);
    CHECK(ended(waker) == 0);
    for (const Row& row : done.compared.table.rows) CHECK(row.finished == 1);
    std::vector<std::string> alone = long_run;
    alone.insert(alone.end(), {"model.attention.score=general", "seed=1"});
    c.files.run("alone", alone);
    CHECK(c.files.model("alone") == c.files.model("out/general/seed-1"));
    CHECK(c.files.metrics("alone").size() == c.files.metrics("out/general/seed-1").size());
}

TEST_CASE("a run that fails is tried once, and once more by a process that begins later") {
    const Compares c;
    CompareRequest r = c.request(two);
    r.start = [](const Job& job) { return job.variant == "concat" ? failing(job) : forked(job); };
    const Joined first = join_comparison(r, {});
    CHECK(first.open == 0);
    CHECK(first.compared.begun == 4);
    CHECK(first.compared.table.rows[1].failed == 2);
    CHECK(c.json()["variants"][1]["each"][0]["message"] == "the disk is full");
    CHECK(runs_of(r.comparison, r.folder)[1].ending == Ending::failed);
    CHECK(runs_of(r.comparison, r.folder)[1].message == "the disk is full");
    CHECK(join_comparison(r, {}).compared.begun == 2);
    r.start = forked;
    const Joined good = join_comparison(r, {});
    CHECK(good.compared.begun == 2);
    CHECK(good.compared.table.rows[1].finished == 2);
    CHECK(!fs::exists(c.files / "out/.claims"));
}

TEST_CASE("a task makes one run, and the last one the table") {
    const Compares c;
    const CompareRequest r = c.request(two);
    const auto task = [&](int64_t number) { return join_comparison(r, {.task = number}); };
    CHECK(contains(message_of([&] { task(5); }), "--task: no such run: 5, allowed 1 to 4"));
    for (const int64_t number : {2, 4, 1}) {
        const Joined done = task(number);
        CHECK(done.task == Ending::finished);
        CHECK(done.compared.begun == 1);
        CHECK(done.open > 0);
        CHECK(!fs::exists(c.files / "out/compare.json"));
    }
    CHECK(fs::exists(c.files / "out/concat/seed-2/summary.json"));
    // one that another process trains, which lives
    const Holder holder = elsewhere(r.folder, "general,seed-2");
    std::thread owner([&] {
        for (int i = 0; i < 30; ++i, std::this_thread::sleep_for(milliseconds(50)))
            std::ofstream(fs::path(r.folder) / ".claims/general,seed-2" / holder.id) << holder.id << "\n" << i << "\n";
    });
    const Joined busy = task(3);
    CHECK(busy.compared.begun == 0);
    CHECK(busy.message == "node7, process 4711");
    owner.join();
    const Joined last = join_comparison(r, {.task = 3, .silence = milliseconds(300)});  // it has died meanwhile
    CHECK(last.open == 0);
    CHECK(last.compared.table.rows[0].finished == 2);
    CHECK(fs::exists(c.files / "out/compare.json"));
}

TEST_CASE("a comparison without join waits for the runs of those that joined") {
    const Compares c;
    CompareRequest r = c.request(two);
    elsewhere(r.folder, "concat,seed-1");
    r.patience = milliseconds(1);
    const std::string message = message_of([&] { run_comparison(r); });
    CHECK_MESSAGE(contains(message, "other processes train in this folder: concat/seed-1 (node7, process 4711)"), message);
}

TEST_CASE("processes that are killed at random make every run once, to the same bits") {
    const Compares c;
    const std::string many = R"({"base": "small.json", "seeds": [1, 2, 3], "grid": {"model.hidden": [6, 7]}})";
    CompareRequest r = c.request(many, {"train.steps=1500", "train.evaluate_every=150", "train.log_every=50"});
    r.threads = 1;
    const Joining joining{.task = std::nullopt, .renew = milliseconds(100), .silence = milliseconds(2000)};
    std::mt19937 random(1);
    std::vector<pid_t> all(3);
    for (pid_t& process : all) process = joiner(r, joining);
    for (int i = 0; i < 12; ++i) {
        std::this_thread::sleep_for(milliseconds(random() % 300));
        pid_t& victim = all[random() % all.size()];
        ::kill(victim, SIGKILL);
        ended(victim);
        victim = joiner(r, joining);
    }
    for (const pid_t process : all) CHECK(ended(process) == 0);
    const Json json = c.json();
    std::vector<std::string> folders;
    for (const Json& variant : json["variants"])
        for (const Json& run : variant["each"]) {
            CHECK(run["status"] == "finished");
            folders.push_back(run["folder"].get<std::string>());
        }
    CHECK(folders.size() == 6);
    std::vector<std::string> alone = {"train.steps=1500", "train.evaluate_every=150", "train.log_every=50"};
    for (const char* seed : {"1", "2", "3"})
        for (const char* hidden : {"6", "7"}) {
            std::vector<std::string> set = alone;
            set.insert(set.end(), {fmt::format("seed={}", seed), fmt::format("model.hidden={}", hidden)});
            const std::string name = fmt::format("hidden={}/seed-{}", hidden, seed);
            c.files.run(name, set);
            CHECK(c.files.model(name) == c.files.model("out/" + name));
            CHECK(c.files.metrics(name).size() == c.files.metrics("out/" + name).size());
        }
}

#endif

TEST_SUITE_END();

}  // namespace compare_join_test
