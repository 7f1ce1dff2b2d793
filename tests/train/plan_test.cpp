// What a run would be: options with their origins, the model as a tree, time and memory; and that
// every shipped config can be begun.
#include "train/study/plan/plan.h"

#include <doctest/doctest.h>

#include <cmath>
#include <map>
#include <sstream>

#include "tests/oracles/greedy.h"
#include "tests/train/commands.h"
#include "tests/train/run_support.h"
#include "train/cli/cli.h"
#include "train/evaluate/evaluate.h"
#include "train/evaluate/resolve.h"
#include "train/study/plan/paced.h"

namespace plan_test {

TEST_SUITE_BEGIN("train: plan");

using namespace attend;
using attend::testing::attend_command;
using attend::testing::contains;
using attend::testing::message_of;
using attend::testing::Outcome;
using attend::testing::SmallRun;
using plan::Module;
using plan::Setting;

namespace {

int64_t sum_of_leaves(const Module& m) {
    if (m.parts.empty())
        return m.count;
    int64_t sum = 0;
    for (const Module& part : m.parts) sum += sum_of_leaves(part);
    CHECK(sum == m.count);
    return sum;
}

std::vector<std::string> names_below(const std::filesystem::path& folder) {
    std::vector<std::string> all;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) all.push_back(entry.path().string());
    std::sort(all.begin(), all.end());
    return all;
}

}  // namespace

TEST_CASE("every option has its value and where that is from") {
    const SmallRun runs;
    const Experiment asked =
        runs.request("r", {"train.steps=auto", "train.epochs=3", "train.evaluate_every=auto", "train.shards=auto",
                           "model.attention.align={\"type\":\"softmax\",\"temperature\":2}"})
            .experiment;
    Experiment resolved = asked;
    resolved = resolve(resolved, {.batches_per_epoch = 7, .cores = 2, .metrics = {"accuracy"}, .validated = 1});
    std::map<std::string, Setting> by_path;
    for (const Setting& s : plan::settings(asked, resolved)) {
        CHECK(by_path.emplace(s.path, s).second);
        CHECK((s.value == s.initial) == (s.origin == Setting::Origin::initial));
    }
    const auto check = [&](const char* path, const char* value, const char* initial, Setting::Origin origin) {
        CAPTURE(path);
        REQUIRE(by_path.contains(path));
        CHECK(by_path[path].value == value);
        CHECK(by_path[path].initial == initial);
        CHECK(by_path[path].origin == origin);
    };
    check("seed", "3", "1", Setting::Origin::given);
    check("data.task", "\"copy\"", "\"dates\"", Setting::Origin::given);
    check("model.hidden", "6", "64", Setting::Origin::given);
    check("model.encoder_layers", "1", "1", Setting::Origin::initial);
    check("model.attention.align.type", "\"softmax\"", "\"softmax\"", Setting::Origin::initial);
    check("model.attention.align.temperature", "2", "1", Setting::Origin::given);
    check("schedule.type", "\"cosine\"", "\"constant\"", Setting::Origin::given);
    check("schedule.warmup", "3", "0", Setting::Origin::given);
    check("train.epochs", "3", "\"auto\"", Setting::Origin::given);
    check("train.steps", "21", "\"auto\"", Setting::Origin::chosen);
    check("train.evaluate_every", "7", "\"auto\"", Setting::Origin::chosen);
    check("train.shards", "2", "\"auto\"", Setting::Origin::chosen);
    check("train.batch", "9", "32", Setting::Origin::given);
}

TEST_CASE("the model as a tree") {
    ParameterStore store(1);
    store.add("a.b.weight", {2, 3}, Init::zeros());
    store.add("c", {5}, Init::zeros());
    store.add("a.b.bias", {3}, Init::zeros());
    store.add("a.weight", {1}, Init::zeros());
    store.freeze("c");
    const Module m = plan::tree_of(store, "m");
    CHECK(sum_of_leaves(m) == 15);
    REQUIRE(m.parts.size() == 2);
    CHECK(m.parts[0].name == "a");
    CHECK(m.parts[0].count == 10);
    REQUIRE(m.parts[0].parts.size() == 2);
    CHECK(m.parts[0].parts[0].parts.size() == 2);
    CHECK(m.parts[0].parts[0].parts[0].shape == "[2, 3]");
    CHECK_FALSE(m.parts[1].trainable);
}

TEST_CASE("every shipped config can be begun") {
    int begun = 0, skipped = 0;
    for (const auto& entry : std::filesystem::directory_iterator(std::filesystem::path(ATTEND_SOURCE_DIR) / "configs")) {
        const std::string path = entry.path().string();
        if (entry.path().extension() != ".json" || contains(read_file(path, 1 << 20), "\"variants\""))
            continue;  // a comparison is not an experiment
        CAPTURE(path);
        const Experiment asked = read_experiment(path, {});
        bool missing = false;
        for (const std::string& p : files_of(asked)) {
            const bool own = contains(p, "*");  // the project's own sources
            CHECK((own || contains(p, "/datasets/")));
            missing |= !own && !std::filesystem::exists(p);
        }
        if (missing) {
            const std::string message = message_of([&] { (void)plan::build(asked); });
            CHECK(contains(message, "datasets/"));
            ++skipped;
            continue;
        }
        const plan::Built built = plan::build(asked);
        CHECK(built.made.store->count() > 0);
        CHECK(built.experiment.train.steps > 0);
        CHECK(sum_of_leaves(plan::tree_of(*built.made.store, "model")) == built.made.store->count());
        CHECK(plan::settings(asked, built.experiment).size() > 20);
        ++begun;
    }
    MESSAGE(begun << " configs begun, " << skipped << " without their data");
    CHECK(begun >= 1);
}

TEST_CASE("a plan estimates steps, evaluations and memory, and writes nothing") {
    const SmallRun runs;
    const std::vector<std::string> before = names_below(runs / "");
    const Experiment asked = runs.request("r", {"train.evaluate_decode=false", "train.steps=13"}).experiment;
    const plan::Plan p = plan::make_plan(asked, 2);
    CHECK(names_below(runs / "") == before);
    CHECK(p.estimate.steps == 13);
    CHECK(p.estimate.batches_per_epoch == 7);  // 60 examples, 9 a batch
    CHECK(p.estimate.batches_counted == 7);
    CHECK(p.estimate.measured_steps >= 5);
    CHECK(p.estimate.checkpoints == 4);  // at 4, 8, 12 and the end
    REQUIRE(p.estimate.evaluations.size() == 3);
    CHECK(p.estimate.evaluations[0].what == "valid, without decoding");
    CHECK(p.estimate.evaluations[0].times == 3);
    CHECK(p.estimate.evaluations[0].batches == 3);
    CHECK(p.estimate.evaluations[1].times == 1);
    CHECK(p.estimate.evaluations[2].what == "test, with decoding");
    double seconds = 13 * p.estimate.step_seconds;
    for (const auto& e : p.estimate.evaluations) {
        CHECK(e.seconds > 0);
        seconds += static_cast<double>(e.times) * e.seconds;
    }
    CHECK(p.estimate.seconds == doctest::Approx(seconds));
    CHECK(p.estimate.step_seconds > 0);
    CHECK(p.estimate.peak_memory_mib > 5);

    // the same targets as the batches have, counted another way
    int64_t targets = 0;
    const plan::Built built = plan::build(asked);
    for (int64_t i = 0; i < built.task->size(Split::train); ++i)
        targets += 1 + static_cast<int64_t>((built.task->target_text(Split::train, i).size() + 1) / 2);  // digits and blanks
    CHECK(p.estimate.targets_per_epoch == targets);

    const std::string text = plan::text_of(p);
    for (const char* part : {"* model.hidden ", "  model.cell ", "(default 64)", "head", "13 steps", "memory at the peak"})
        CHECK_MESSAGE(contains(text, part), part);
    const Json json = Json::parse(plan::json_of(p).text());
    CHECK(json["parameters"] == p.parameters);
    CHECK(json["config"]["train"]["steps"] == 13);
    CHECK(json["model"]["count"] == p.parameters);
}

TEST_CASE("a paced model ends where the references end, whatever it has learnt") {
    const SmallRun runs;
    const plan::Built built = plan::build(runs.request("r").experiment);
    const Batch batch = built.task->batches(Split::valid, {.batch = 20, .seed = 1, .shuffled = false})->at(0);
    plan::PacedModel paced(*built.made.model);
    paced.learn(batch);
    const std::vector<int64_t> limits(static_cast<std::size_t>(batch.rows()), 50);
    const auto decoded = oracles::decode_greedy(paced, batch.source, limits, Collect::nothing);
    bool differ = false;
    for (int64_t r = 0; r < batch.rows(); ++r) {
        CHECK(decoded[static_cast<std::size_t>(r)].ended);
        CHECK(static_cast<int64_t>(decoded[static_cast<std::size_t>(r)].ids.size()) + 1 == batch.target.length(r));
        differ |= batch.target.length(r) != batch.target.length(0);
    }
    CHECK(differ);
    // what it has not been told about ends as the model says
    const plan::PacedModel untold(*built.made.model);
    const auto same = oracles::decode_greedy(untold, batch.source, limits, Collect::nothing),
               plain = oracles::decode_greedy(*built.made.model, batch.source, limits, Collect::nothing);
    for (std::size_t r = 0; r < same.size(); ++r) CHECK(same[r].ids == plain[r].ids);
}

TEST_CASE("an evaluation of some batches adds up to that of all") {
    const SmallRun runs;
    const plan::Built built = plan::build(runs.request("r").experiment);
    Workers workers(2);
    EvaluationSetup setup{.split = Split::valid, .batch = 8, .decode = Decode::no};
    double sum = 0, targets = 0;
    const std::unique_ptr<Batches> batches = built.task->batches(Split::valid, {.batch = 8, .seed = 1, .shuffled = false});
    const double whole = *evaluate(*built.made.model, *built.task, setup, workers)->scores.find("loss");
    REQUIRE(batches->per_epoch() == 3);
    for (int64_t k = 0; k < 3; ++k) {
        setup.only = {k};
        const auto n = static_cast<double>(batches->at(k).targets());
        sum += n * *evaluate(*built.made.model, *built.task, setup, workers)->scores.find("loss");
        targets += n;
    }
    CHECK(sum / targets == doctest::Approx(whole).epsilon(1e-6));
}

TEST_CASE("the commands plan, schema, list and check") {
    const SmallRun runs;
    const std::string config = (runs / "small.json").string();
    const auto command = [](const std::vector<std::string>& arguments) {
        const Outcome o = attend_command(arguments);
        return std::tuple(o.code, o.out, o.error);
    };
    {
        const auto [code, out, error] = command({"plan", config, "--json", "--set", "model.hidden=7", "--seed", "9"});
        CHECK(code == 0);
        CHECK(error.empty());
        const Json json = Json::parse(out);
        CHECK(json["config"]["model"]["hidden"] == 7);
        CHECK(json["config"]["seed"] == 9);
    }
    CHECK(std::get<0>(command({"plan", config, "--set", "model.hiden=7"})) == 2);
    CHECK(std::get<0>(command({"plan", (runs / "none.json").string()})) == 2);
    CHECK(Json::parse(std::get<1>(command({"schema"})))["type"] == "object");
    CHECK(Json::parse(std::get<1>(command({"list", "--json"}))).contains("optimizer"));
    CHECK(Json::parse(std::get<1>(command({"list", "score", "--json"}))).size() == 1);
    CHECK(std::get<1>(command({"list", "optimizer.adam"})) == std::get<1>(command({"list", "optimizer", "adam"})));
    CHECK(contains(std::get<1>(command({"list", "train", "batch"})), "default 32"));
    CHECK(std::get<0>(command({"list", "optimizer", "adma"})) == 2);
    CHECK(contains(std::get<1>(command({"list", "--markdown"})), "# Options"));
    CHECK(std::get<0>(command({"check", config, "--rows", "0"})) == 2);
    CHECK(std::get<0>(command({"check", config, "--set", "model.hiden=7"})) == 2);
    const auto [code, out, error] = command({"check", config, "--rows", "2", "--elements", "1", "--json"});
    CHECK(code == 0);
    CHECK(Json::parse(out)["passed"] == true);
}

TEST_SUITE_END();

}  // namespace plan_test
