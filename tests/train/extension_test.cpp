// Going on beyond the end that a run was begun with, and other ways in which a run could be none
// that its config.json says.
#include <doctest/doctest.h>

#include <cmath>
#include <filesystem>

#include "tests/train/commands.h"
#include "tests/train/page_support.h"
#include "train/records/build_info.h"
#include "train/records/record_reader.h"
#include "train/records/resume.h"
#include "train/records/summary.h"

namespace extension_test {

TEST_SUITE_BEGIN("train: extension");

using namespace attend;
using attend::testing::attend_command;
using attend::testing::contains;
using attend::testing::message_of;
using attend::testing::Outcome;
using attend::testing::PagedRun;
using Strings = std::vector<std::string>;

namespace {

struct Killed {};

TrainRequest going_on(const PagedRun& runs, const std::string& name, const Strings& set, Extend extend = Extend::no) {
    TrainRequest r = runs.request(name, set);
    r.existing = Existing::resume;
    r.extend = extend;
    return r;
}

// Trains it and leaves it after step `at` as a kill would.
void killed_at(TrainRequest request, int64_t at) {
    request.after_step = [at](int64_t step) {
        if (step == at)
            throw Killed();
    };
    CHECK_THROWS_AS(train(request), Killed);
}

std::vector<double> rates(const PagedRun& runs, const std::string& name) {
    std::vector<double> all;
    for (const Json& line : runs.metrics(name))
        if (line["split"] == "train")
            all.push_back(line["lr"].get<double>());
    return all;
}

const Strings each_line = {"train.log_every=1"};
Strings with(Strings set, const Strings& more) {
    set.insert(set.end(), more.begin(), more.end());
    return set;
}

}  // namespace

TEST_CASE("more steps than a run was begun with need --extend, whether it has ended or was stopped, and nothing is changed") {
    const PagedRun runs;
    const std::string config = (runs / "small.json").string();
    runs.run("ended", {"schedule=constant"});
    killed_at(runs.request("killed", {"schedule=constant"}), 6);
    for (const std::string name : {"ended", "killed"}) {
        CAPTURE(name);
        const std::string metrics = runs.text(name + "/metrics.jsonl"), before = runs.text(name + "/config.json");
        const Outcome o = attend_command({"train", config, "--out", (runs / name).string(), "--resume", "--set",
                                          "schedule=constant", "--set", "train.steps=15"});
        CHECK(o.code == 2);
        const std::string done = name == "ended" ? "12" : "4";
        CHECK_MESSAGE(contains(o.error, name +
                                            "/config.json: continuing with more steps than the run began with needs --extend: "
                                            "train.steps before 12, now 15, steps done " +
                                            done + "; --overwrite"),
                      o.error);
        CHECK(runs.text(name + "/metrics.jsonl") == metrics);
        CHECK(runs.text(name + "/config.json") == before);
    }
    // as many as epochs come to, too
    const Strings epochs = {"schedule=constant", "train.steps=auto", "train.epochs=2"};
    CHECK(contains(message_of([&] { train(going_on(runs, "ended", epochs)); }), "train.steps before 12, now 14"));
    // a run that has trained no step that is known begins again, with as many as it likes
    killed_at(runs.request("young", {}), 2);
    CHECK(train(going_on(runs, "young", {"train.steps=15"})).progressed.step == 15);
    CHECK(!RunFolder(runs / "young").experiment().extended.any());
    runs.run("fresh", {"train.steps=15"});
    CHECK(runs.model("young") == runs.model("fresh"));
}

TEST_CASE("an extension is recorded, and every command reads such a run") {
    const PagedRun runs;
    const std::string config = (runs / "small.json").string(), out = (runs / "a").string();
    runs.run("a", {"schedule=constant"});
    const Strings command = {"train", config,          "--out", out, "--resume", "--extend", "--set", "schedule=constant",
                             "--set", "train.steps=15"};
    const Outcome o = attend_command(command);
    CHECK(o.code == 0);
    const Json record = Json::parse(R"([{"at": 12, "before": 12, "now": 15}])");
    CHECK(runs.summary("a")["extended"] == record);
    CHECK(runs.summary("a")["steps"] == 15);
    const Json written = Json::parse(runs.text("a/config.json"));
    CHECK(written["extended"]["at"] == Json::parse("[12]"));
    CHECK(written["extended"]["before"] == Json::parse("[12]"));
    CHECK(written["extended"]["now"] == Json::parse("[15]"));
    CHECK(contains(runs.text("a/log.txt"), "extended at step 12 from 12 to 15 steps; schedule constant"));
    CHECK(contains(runs.text("a/report.html"), "This run was extended: at step 12 from 12 to 15 steps"));
    runs.run("fresh", {"schedule=constant", "train.steps=15"});
    CHECK(!runs.summary("fresh").contains("extended"));
    CHECK(runs.text("a/config.json") != runs.text("fresh/config.json"));
    // the rates are those of a run of all steps, so the bits are
    CHECK(runs.model("a") == runs.model("fresh"));

    CHECK(attend_command({"eval", out}).code == 0);
    CHECK(attend_command({"translate", out}, "0 1\n").code == 0);
    CHECK(attend_command({"report", out, "--out", (runs / "page.html").string()}).code == 0);
    CHECK(attend_command({"metrics", out}).code == 0);
    CHECK(attend_command({"plan", out + "/config.json"}).code == 0);
    // the same command again, and the run's own config, go on with it; a new run is not begun with
    // that
    CHECK(attend_command(command).code == 0);
    CHECK(attend_command({"train", out + "/config.json", "--out", out, "--resume"}).code == 0);
    CHECK(runs.summary("a")["extended"] == record);
    const Outcome fresh = attend_command({"train", out + "/config.json", "--out", (runs / "b").string()});
    CHECK(fresh.code == 2);
    CHECK_MESSAGE(contains(fresh.error, "extended: the experiment of a run that went on after its end"), fresh.error);
    CHECK(!std::filesystem::exists(runs / "b"));
    // once more
    train(going_on(runs, "a", {"schedule=constant", "train.steps=20"}, Extend::yes));
    CHECK(contains(runs.text("a/config.json"), R"("now": [15, 20])"));
    CHECK(contains(message_of([&] { train(going_on(runs, "a", {"schedule=constant", "train.steps=21"})); }), "needs --extend"));
}

TEST_CASE("a schedule laid over the steps that a run was begun with needs another for those that are added") {
    const PagedRun runs;
    runs.run("a", each_line);
    const std::string refused =
        message_of([&] { train(going_on(runs, "a", with(each_line, {"train.steps=18"}), Extend::yes)); });
    CHECK_MESSAGE(contains(refused,
                           "config.json: the schedule depends on the number of steps and was laid over fewer: schedule "
                           "cosine, train.steps before 12, now 18, steps done 12; give one for the steps that are "
                           "added, in which it begins again: --set schedule=constant, or --set schedule=cosine"),
                  refused);
    CHECK(runs.summary("a")["steps"] == 12);

    const Strings longer = with(each_line, {"train.steps=18", "schedule=constant"});
    killed_at(going_on(runs, "a", longer, Extend::yes), 14);
    CHECK(!std::filesystem::exists(runs / "a/summary.json"));  // it has no end any more
    train(going_on(runs, "a", longer));
    const std::vector<double> all = rates(runs, "a");
    REQUIRE(all.size() == 18);
    CHECK(all[11] < 0.001);
    for (std::size_t s = 12; s < 18; ++s) CHECK(all[s] == 0.01);
    const Json written = Json::parse(runs.text("a/config.json"));
    CHECK(written["schedule"]["type"] == "constant");
    CHECK(written["extended"]["schedule_from"] == 12);
    CHECK(written["extended"]["schedules"] == "cosine {warmup 3, final 0} until 12");

    // the same schedule, asked for by name, begins anew over the steps that are added: 6 of them, 3
    // to warm up
    runs.run("b", each_line);
    const Outcome o =
        attend_command({"train", (runs / "small.json").string(), "--out", (runs / "b").string(), "--resume", "--extend",
                        "--set", "schedule.type=cosine", "--set", "train.steps=18", "--set", "train.log_every=1"});
    CHECK_MESSAGE(o.code == 0, o.error);
    const std::vector<double> again = rates(runs, "b");
    runs.run("six", with(each_line, {"train.steps=6"}));
    const std::vector<double> six = rates(runs, "six");
    REQUIRE(again.size() == 18);
    for (std::size_t s = 0; s < 6; ++s) CHECK(again[12 + s] == six[s]);
    CHECK(!contains(message_of([&] { train(going_on(runs, "b", with(each_line, {"train.steps=18"}))); }), "needs"));

    // one that listens to evaluations begins anew, too
    runs.run("c", each_line);
    killed_at(going_on(runs, "c", with(each_line, {"train.steps=24", "schedule=plateau"}), Extend::yes), 13);
    CHECK(train(going_on(runs, "c", with(each_line, {"train.steps=24", "schedule=plateau"}))).progressed.step == 24);
    // without more steps a schedule is what it was
    CHECK(contains(message_of([&] {
                       train(going_on(runs, "c", {"train.steps=24", "schedule=linear"}, Extend::with_schedule));
                   }),
                   "schedule.type: before \"plateau\", now \"linear\""));
}

TEST_CASE("schedules say whether they depend on the number of steps, and it is so") {
    for (const std::string& name : schedule_table().names()) {
        CAPTURE(name);
        const Selection schedule(schedule_table(), name);
        const auto few = schedule_table().build(schedule, 1.0, 5000), many = schedule_table().build(schedule, 1.0, 9000);
        bool same = true;
        for (int64_t s = 0; s < 5000; ++s) same = same && few->rate(s) == many->rate(s);
        CHECK(few->depends_on_steps() == !same);
    }
}

TEST_CASE("fewer steps than before: a run that would have been the same, and no other") {
    const PagedRun runs;
    killed_at(runs.request("a", {"schedule=constant"}), 6);
    CHECK(train(going_on(runs, "a", {"schedule=constant", "train.steps=9"})).progressed.step == 9);
    runs.run("b", {"schedule=constant", "train.steps=9"});
    CHECK(runs.model("a") == runs.model("b"));
    killed_at(runs.request("c", {}), 6);
    CHECK_MESSAGE(contains(message_of([&] { train(going_on(runs, "c", {"train.steps=9"})); }),
                           "config.json: so far the schedule was laid over more steps: schedule cosine, train.steps before 12, "
                           "now 9, steps done 4; --overwrite starts again"),
                  "fewer");
    CHECK(contains(message_of([&] { train(going_on(runs, "c", {"train.steps=3"})); }),
                   "the run is already further than asked for: steps done 4, train.steps 3"));
    runs.run("d", {"schedule=constant"});
    killed_at(going_on(runs, "d", {"schedule=constant", "train.steps=20"}, Extend::yes), 13);
    CHECK(contains(message_of([&] {
                       train(going_on(runs, "d", {"schedule=constant", "train.steps=15"}));
                   }),
                   "a run that was extended does not go back: train.steps before 20, now 15"));
}

TEST_CASE("more seconds for a run that its seconds have ended need --extend, and of patience nothing is taken back") {
    const PagedRun runs;
    runs.run("a", {"train.max_seconds=1e-9"});
    CHECK(runs.summary("a")["status"] == "finished");
    const int64_t steps = runs.summary("a")["steps"].get<int64_t>();
    REQUIRE(steps < 12);
    const std::string message = message_of([&] { train(going_on(runs, "a", {"train.max_seconds=1000"})); });
    CHECK_MESSAGE(contains(message,
                           "continuing after the run's end needs --extend: train.max_seconds before 1e-09, now 1000, "
                           "seconds done "),
                  message);
    train(going_on(runs, "a", {"train.max_seconds=1000"}, Extend::yes));  // the schedule is what it was: steps are as many
    CHECK(runs.summary("a")["steps"] == 12);
    CHECK(runs.summary("a")["extended"][0]["now"] == 12);

    const Strings patient = {"optimizer.learning_rate=1e-12", "schedule=constant", "train.evaluate_every=2", "train.patience=2",
                             "train.best_metric=exact_match", "train.steps=40"};
    const int64_t ended = runs.run("b", patient).progressed.step;
    REQUIRE(ended < 40);
    Strings more = patient;
    more.back() = "train.steps=60";
    CHECK(contains(message_of([&] { train(going_on(runs, "b", more)); }), "needs --extend"));
    CHECK(train(going_on(runs, "b", more, Extend::yes)).progressed.step == ended);
}

TEST_CASE("the interval of evaluations is the experiment's where a schedule or patience follows them") {
    const PagedRun runs;
    for (const std::string follower : {"train.patience=9", "schedule=plateau"}) {
        CAPTURE(follower);
        const std::string name = follower.substr(0, 5);
        killed_at(runs.request(name, {follower}), 6);
        const std::string message = message_of([&] { train(going_on(runs, name, {follower, "train.evaluate_every=3"})); });
        CHECK_MESSAGE(contains(message, "train.evaluate_every: before 4, now 3 (schedule or patience follow evaluations)"),
                      message);
        CHECK(train(going_on(runs, name, {follower})).progressed.step == 12);
    }
    // what was chosen automatically stays as it was chosen
    runs.run("auto", {"schedule=constant", "train.evaluate_every=auto", "train.steps=30", "train.patience=50"});
    train(going_on(runs, "auto", {"schedule=constant", "train.evaluate_every=auto", "train.steps=60", "train.patience=50"},
                   Extend::yes));
    CHECK(RunFolder(runs / "auto").experiment().train.evaluate_every == 3);
}

TEST_CASE("a run that goes on and is killed does not say that it has finished") {
    const PagedRun runs;
    runs.run("a", {"schedule=constant"});
    killed_at(going_on(runs, "a", {"schedule=constant", "train.steps=16"}, Extend::yes), 14);
    CHECK(!std::filesystem::exists(runs / "a/summary.json"));
}

TEST_CASE("a checkpoint says which program wrote it, and another that goes on says so") {
    const PagedRun runs;
    const std::string state = "a/checkpoints/last/state.json", out = (runs / "a").string();
    runs.run("a", {"schedule=constant"});
    Json json = Json::parse(runs.text(state));
    CHECK(json["program"] == program_name());
    const Strings command = {"train", (runs / "small.json").string(), "--out", out, "--resume", "--set", "schedule=constant"};
    CHECK(attend_command(command).code == 0);
    CHECK(!contains(runs.text("a/log.txt"), "was written by"));
    json["program"] = "0.0.1 abc";
    json.erase("crc32");
    json["crc32"] = checksum(json);
    std::ofstream(runs / state) << json.dump(1) << "\n";
    CHECK(attend_command(command).code == 0);
    CHECK(contains(runs.text("a/log.txt"), "the checkpoint was written by attend 0.0.1 abc, this is "));
}

TEST_CASE("a loss that explodes without becoming infinite is said") {
    const PagedRun runs;
    const Strings wild = {R"(optimizer={"type": "sgd", "learning_rate": 300})", "schedule=constant", "train.clip_norm=0",
                          "train.steps=40", "train.evaluate_every=40"};
    runs.run("wild", wild);
    const Json summary = runs.summary("wild");
    CHECK(summary["status"] == "finished");
    REQUIRE(summary.contains("loss_exploded"));
    CHECK(summary["loss_exploded"]["first"].get<double>() < 3);
    CHECK(summary["loss_exploded"]["last"].get<double>() > 7);
    CHECK(contains(runs.text("wild/report.html"), "far above"));
    const Outcome o = attend_command({"train", (runs / "small.json").string(), "--out", (runs / "said").string(), "--set",
                                      wild[0], "--set", wild[1], "--set", wild[2], "--set", wild[3], "--set", wild[4]});
    CHECK(o.code == 0);
    CHECK(contains(runs.text("said/log.txt"), "far above"));

    runs.run("tame");
    CHECK(!runs.summary("tame").contains("loss_exploded"));
    // known across a kill
    killed_at(runs.request("cut", wild), 39);
    CHECK(train(going_on(runs, "cut", wild)).progressed.first_loss == summary["loss_exploded"]["first"].get<double>());
}

TEST_CASE("where the line is between a loss that exploded and one that did not") {
    const auto at = [](double first, double train, double valid) {
        Progressed p;
        p.first_loss = first;
        p.train = ScoredStep{10, {{{"loss", train}}}};
        p.valid = ScoredStep{10, {{{"loss", valid}}}};
        return exploded(p);
    };
    CHECK(!at(4.17, 0.01, 9));  // learnt by heart
    CHECK(!at(4.17, 4.2, 4.2));
    CHECK(!at(0.001, 0.01, 0.01));  // begun with trained weights
    CHECK(at(4.17, 9.4, 4)->split == Split::train);
    CHECK(at(4.17, 4, 5113)->split == Split::valid);
    CHECK(at(4.17, 4, 5113)->last == 5113);
    CHECK(!at(std::nan(""), 5113, 5113));
}

TEST_SUITE_END();

}  // namespace extension_test
