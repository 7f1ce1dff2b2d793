// What goes wrong while several processes share a comparison: races, stopped and failed runs, tables
// that are half written, two that must not run at the same time.
#include <doctest/doctest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <thread>

#include "tests/train/compare_processes.h"
#include "train/records/example_scores.h"
#include "train/study/compare/conclusion.h"
#include "train/study/compare/folder.h"
#include "train/study/compare/join.h"

namespace compare_faults_test {

TEST_SUITE_BEGIN("train: compare faults");

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
using std::chrono::milliseconds;
namespace fs = std::filesystem;

namespace {

const std::string two = R"({"base": "small.json", "seeds": [1, 2], "variants": {
    "general": {"model.attention.score": "general"}, "concat": {"model.attention.score": "concat"}}})";

bool is_run(const Job& job, const char* name) { return job.name == name; }

}  // namespace

TEST_CASE("claims are taken while others tidy") {
    const TemporaryFolder root;
    const Claims claims(root.path());
    std::atomic<bool> done = false;
    std::atomic<int> errors = 0, taken = 0;
    const auto take = [&](const std::string& name) {
        for (int i = 0; i < 1000; ++i) try {
                taken += claims.take(name).has_value() ? 1 : 0;
                claims.mark_failed(name, "no memory");
                claims.remove_mark(name);
            } catch (const std::exception&) {
                ++errors;
            }
    };
    std::thread tidies([&] {
        while (!done) claims.tidy();
    });
    std::thread first(take, "a,seed-1"), second(take, "b,seed-1");
    first.join();
    second.join();
    done = true;
    tidies.join();
    CHECK(errors == 0);
    CHECK(taken == 2000);
}

TEST_CASE("a claim that cannot be looked at is not lost") {
    const TemporaryFolder root;
    std::optional<Claim> claim = Claims(root.path()).take("a,seed-1");
    REQUIRE(claim);
    RunLock lock(root.path());
    lock.watch(claim->file());
    rlimit before = {};
    ::getrlimit(RLIMIT_NOFILE, &before);
    const rlimit none = {0, before.rlim_max};
    ::setrlimit(RLIMIT_NOFILE, &none);
    std::string message;
    try {
        lock.check_folder();
    } catch (const std::exception& e) {
        message = e.what();
    }
    const bool renewed = claim->renew();
    ::setrlimit(RLIMIT_NOFILE, &before);
    CHECK(message == "");
    CHECK(renewed);
    claim->give_back();
    CHECK(contains(message_of<MachineError>([&] { lock.check_folder(); }), "the claim on this run is lost"));
}

TEST_CASE("the names of what processes say on each machine belong to the comparison") {
    const Compares c;
    const std::string named = R"({"base": "small.json", "variants": {"a": {}, "Log-node7.txt": {"model.hidden": 7}}})";
    CHECK(contains(message_of([&] { c.request(named); }), "the comparison has a file or folder of that name itself"));
    const std::string own = fmt::format("log-{}.txt", host_name());
    fs::create_directories(c.files / "out" / own);
    CHECK(contains(message_of([&] { join_comparison(c.request(two), {}); }), own + ": a folder stands where a file"));
}

TEST_CASE("options that say nothing without another are refused") {
    const Compares c;
    const std::string config = c.config(two), out = (c.files / "out").string();
    const Outcome stale = attend_command({"compare", config, "--out", out, "--stale", "10"});
    CHECK(stale.code == 2);
    CHECK(contains(stale.error, "--stale: it needs --join or --task"));
    CHECK(attend_command({"compare", config, "--out", out, "--list", "--task", "3"}).code == 2);
    CHECK(!fs::exists(out));
}

#if !defined(ATTEND_SANITIZED)  // they do not follow a fork into threads

TEST_CASE("each task of a comparison with a null variant is made") {
    const Compares c;
    const CompareRequest r = c.request(R"({"base": "small.json", "seeds": [1], "variants": {"a": {}}})", {"compare.aa=true"});
    CHECK(join_comparison(r, {.task = 2}).task == Ending::finished);
    const Joined last = join_comparison(r, {.task = 1});
    CHECK(last.task == Ending::finished);
    CHECK(last.compared.table.rows.size() == 2);
}

TEST_CASE("who joins and who runs the comparison alone keep each other out without locks") {
    const Compares c;
    CompareRequest r = c.request(two);
    const Claims claims(r.folder);
    // a comparison that another machine runs and that lives, for as long as somebody looks
    const fs::path claim = c.files / "out/.claims/alone", file = claim / "node7-00000000-4711-0123456789abcdef";
    std::atomic<bool> done = false;
    fs::create_directories(claim);
    std::ofstream(file) << file.filename().string() << "\n0\n";
    std::thread owner([&] {
        for (int i = 0; !done; ++i, std::this_thread::sleep_for(milliseconds(20)))
            std::ofstream(file) << file.filename().string() << "\n" << i << "\n";
    });
    const std::string refused = message_of([&] { join_comparison(r, {}); });
    r.patience = milliseconds(1);
    const std::string alone = message_of([&] { run_comparison(r); });
    done = true;
    owner.join();
    CHECK_MESSAGE(contains(refused, "a comparison without --join runs in this folder: node7, process 4711"), refused);
    CHECK_MESSAGE(contains(alone, "a comparison without --join (node7, process 4711)"), alone);
    CHECK(join_comparison(r, {.task = 1, .silence = milliseconds(200)}).task == Ending::finished);  // it has died since

    // one that begins after this process has looked, and one that this process runs
    bool held = false;
    r.start = [&](const Job& job) {
        held = claims.holder(alone_claim).has_value();
        return forked(job);
    };
    run_comparison(r);
    CHECK(held);
    CHECK(!fs::exists(c.files / "out/.claims"));
    fs::remove_all(c.files / "out/concat");
    std::optional<Claim> other;
    r.threads = 1;
    r.start = [&](const Job& job) {
        other = claims.take(alone_claim);
        return forked(job);
    };
    const std::string late = message_of([&] { join_comparison(r, {}); });
    CHECK_MESSAGE(contains(late, "a comparison without --join has begun in this folder: "), late);
}

TEST_CASE("many processes that find a comparison finished all show it") {
    const Compares c;
    const CompareRequest r = c.request(R"({"base": "small.json", "seeds": [1], "variants": {"a": {}}})");
    join_comparison(r, {});
    int good = 0;
    for (int round = 0; round < 10; ++round) {
        std::vector<pid_t> all(8);
        for (pid_t& process : all) {
            process = ::fork();
            if (process == 0) {
                try {
                    ::_exit(join_comparison(r, {}).open == 0 ? 0 : 1);
                } catch (const std::exception&) {
                    ::_exit(2);
                }
            }
        }
        for (const pid_t process : all) {
            int status = 0;
            ::waitpid(process, &status, 0);
            good += status == 0 ? 1 : 0;
        }
    }
    CHECK(good == 80);
}

TEST_CASE("a look that another process took meanwhile is kept") {
    const Compares c;
    const std::string pair = R"({"base": "small.json", "seeds": [1, 2], "variants": {"a": {}, "b": {"model.hidden": 7}}})";
    join_comparison(c.request(pair), {});
    for (const int64_t seed : {3, 4}) {
        CompareRequest r = c.request(pair);
        r.comparison.seeds = {1, 2, seed};
        bool looked = false;
        r.start = [&](const Job& job) {
            if (!looked) {
                Json json = c.json();
                json["looks"].push_back({{"metric", json["metric"]},
                                         {"split", json["split"]},
                                         {"evaluation", json["evaluation"]},
                                         {"seeds", {1, 2, seed, 9}}});
                std::ofstream(c.files / "out/compare.json") << json;
                looked = true;
            }
            return forked(job);
        };
        const Result table = seed == 4 ? run_comparison(r).table : join_comparison(r, {}).compared.table;
        CHECK(table.look == (seed == 4 ? 3 : 2));
        CHECK(c.json()["looks"].size() == (seed == 4 ? 2 : 1));
    }
}

TEST_CASE("a run that somebody stops is not begun again, and the others are made") {
    const Compares c;
    CompareRequest r = c.request(two);
    bool trains = false;
    r.start = [&](const Job& job) {
        if (!is_run(job, "concat seed-1"))
            return forked(job);
        const pid_t child = trains ? forked(job) : 0;
        int status = 0;
        if (child > 0)
            ::waitpid(child, &status, 0);
        const pid_t process = ::fork();
        if (process == 0)
            ::_exit(143);
        return process;
    };
    const Joined stopped = join_comparison(r, {});
    CHECK(stopped.compared.begun == 4);
    CHECK(stopped.compared.stopped);
    CHECK(stopped.open == 1);
    trains = true;  // told to stop when it had just finished
    const Joined all = join_comparison(r, {});
    CHECK(!all.compared.stopped);
    REQUIRE(all.open == 0);
    REQUIRE(all.compared.table.rows.size() == 2);
    CHECK(all.compared.table.rows[1].finished == 2);
    CHECK(fs::exists(c.files / "out/compare.json"));
}

TEST_CASE("a run that finished after it had failed counts as finished everywhere") {
    const Compares c;
    const CompareRequest r = c.request(two);
    run_comparison(r);
    const Claims claims(r.folder);
    claims.mark_failed("concat,seed-1", "no memory");
    const auto good = [&](const Result& t) { return t.rows[1].finished == 2 && t.rows[1].failed == 0; };
    CHECK(good(present_comparison(r.comparison, r.folder).table));
    CHECK(runs_of(r.comparison, r.folder)[1].ending == Ending::finished);
    CHECK(good(join_comparison(r, {}).compared.table));
    CHECK(!claims.failure("concat,seed-1"));
    claims.mark_failed("concat,seed-1", "no memory");
    CHECK(good(run_comparison(r).table));
    CHECK(!fs::exists(c.files / "out/.claims"));
}

TEST_CASE("the page is there when compare.json is, and is made again where it is missing") {
    const Compares c;
    for (const bool alone : {false, true}) {
        fs::remove(c.files / "out/compare.json");
        CompareRequest r = c.request(two);
        r.compared = [&, write = r.compared](const Compared& done) {
            CHECK(!fs::exists(c.files / "out/compare.json"));
            write(done);
        };
        alone ? (void)run_comparison(r) : (void)join_comparison(r, {});
        CHECK(fs::exists(c.files / "out/compare.json"));
    }
    fs::remove(c.files / "out/compare.html");
    join_comparison(c.request(two), {});
    CHECK(fs::exists(c.files / "out/compare.html"));
}

TEST_CASE("a failure that cannot be written down stops no other run") {
    const Compares c;
    CompareRequest r = c.request(two);
    r.start = [&](const Job& job) {
        if (!is_run(job, "concat seed-1"))
            return forked(job);
        fs::create_directories(c.files / "out/.claims/concat,seed-1.failed/stands here");
        return failing(job);
    };
    const Joined done = join_comparison(r, {});
    CHECK(done.open == 0);
    CHECK(done.compared.begun == 4);
    CHECK(done.compared.table.rows[1].failed == 1);
    CHECK(c.json()["variants"][1]["each"][0]["message"] == "the disk is full");
}

TEST_CASE("a report of a comparison needs neither its data nor its models") {
    const Compares c;
    const CompareRequest r = c.request(two);
    join_comparison(r, {.task = 1});
    const std::string out = (c.files / "out").string();
    CHECK(attend_command({"report", out}).code == 0);  // builds, as a task has prepared one variant alone
    for (const int64_t task : {2, 3, 4}) join_comparison(r, {.task = task});
    const Comparison kept = read_folder(out);
    const std::optional<Prepared> again = kept_preparation(kept, out);
    REQUIRE(again);
    CHECK(again->parameters == prepare(kept, out).parameters);
    join_comparison(r, {.task = 1});  // leaves it as it is
    CHECK(kept_preparation(kept, out));
    Comparison broken = kept;  // cannot be built, as where the data are gone
    broken.path = r.comparison.path;
    for (Variant& v : broken.variants) v.experiment.train.shards = 50;
    CHECK(present_comparison(broken, out).json.text(1, Broken::replaced) + "\n" == c.files.text("out/compare.json"));
    CHECK(attend_command({"report", out}).code == 0);
}

TEST_CASE("a damaged table is named, with what removing it costs") {
    const Compares c;
    const CompareRequest r = c.request(two);
    join_comparison(r, {});
    std::ofstream(c.files / "out/compare.json") << "{";
    const std::string message = message_of([&] { join_comparison(r, {}); });
    CHECK(contains(message, "out/compare.json: the file is damaged: "));
    CHECK(contains(message, "the runs are kept; removing the file forgets how often the comparison was looked at"));
}

#endif

TEST_CASE("processes that join with other settings are refused, and the variants' configs stay") {
    const Compares c;
    const CompareRequest first = c.request(two), other = c.request(two, {"optimizer.learning_rate=0.5"});
    write_folder(first.folder, first.comparison, nullptr);
    require_same_variants(first.folder, first.comparison);
    const std::string before = c.files.text("out/concat/variant.json");
    const std::string said = message_of([&] { require_same_variants(other.folder, other.comparison); });
    CHECK_MESSAGE(contains(said, "a comparison with other settings has begun in this folder: optimizer.learning_rate before"),
                  said);
    CHECK(message_of([&] { join_comparison(other, {}); }) == said);
    CHECK(c.files.text("out/concat/variant.json") == before);
}

TEST_CASE("scores of examples that are not the run's are refused, and what is no file is not opened") {
    const TemporaryFolder folder;
    const fs::path path = folder.path() / "test_scores.jsonl";
    ExampleScores scores{{"exact_match"}, "f", {{0, {{1, 1}}}, {1, {{0, 1}}}}};
    write_scores(path, {Split::test, 20, scores});
    const auto read = [&](double value) { return read_examples(folder.path(), Split::test, 20, "exact_match", value); };
    CHECK(read(0.5)->influence == std::vector<double>{0.5, -0.5});
    CHECK(contains(message_of([&] { read(0.75); }),
                   "the scores of examples do not belong to this run: exact_match of all 2 examples 0.5"));
    CHECK(!read_examples(folder.path(), Split::test, 10, "exact_match", 0.5));  // of another step
    scores.examples[1].of[0][0] = 1e308 * 10;
    write_scores(path, {Split::test, 20, scores});
    CHECK(contains(message_of([&] { read(0.5); }), "test_scores.jsonl:3"));
    fs::remove(path);
    REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
    CHECK(!read(0.5));
    fs::remove(path);
    fs::create_symlink("/dev/zero", path);
    CHECK(!read(0.5));
}

TEST_SUITE_END();

}  // namespace compare_faults_test
