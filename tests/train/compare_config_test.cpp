// The config of a comparison: what it means, and what is refused with which message.
#include "train/study/compare/comparison.h"

#include <doctest/doctest.h>

#include "tests/train/commands.h"
#include "tests/train/run_support.h"
#include "train/config/writer.h"
#include "train/evaluate/resolve.h"
#include "train/exchange/pretrained.h"
#include "train/experiment/assemble.h"
#include "train/study/compare/compare.h"

namespace compare_config_test {

TEST_SUITE_BEGIN("train: compare config");

using namespace attend;
using namespace attend::compare;
using attend::testing::attend_command;
using attend::testing::contains;
using attend::testing::message_of;
using attend::testing::Outcome;
using attend::testing::SmallRun;

namespace {

// Writes compare.json beside small.json and reads it.
Comparison read(const SmallRun& files, const std::string& text, const std::vector<std::string>& set = {}, int64_t seeds = 0) {
    std::ofstream(files / "compare.json") << text;
    return read_comparison((files / "compare.json").string(), set, seeds);
}

std::string error(const SmallRun& files, const std::string& text, const std::vector<std::string>& set = {}) {
    return message_of([&] {
        const Comparison c = read(files, text, set);
        prepare(c, (files / "out").string());
    });
}

std::string score_of(const Variant& v) { return config::write(v.experiment); }

}  // namespace

TEST_CASE("a comparison is a base, variants and seeds") {
    const SmallRun files;
    const Comparison c = read(files, R"({
        // what is compared
        "$schema": "x.json", "name": "scores", "base": "small.json", "seeds": [4, 2], "variants": {
            "plain": {},
            "concat": {"model.attention.score": "concat", "train.steps": 7},
            "general": {"model.attention": {"score": {"type": "general"}}}},
        "compare": {"metric": "loss", "reference": "concat", "threshold": 0.5, "steps": [3, 5]}})");
    CHECK(c.name == "scores");
    CHECK(c.seeds == std::vector<int64_t>{4, 2});
    REQUIRE(c.variants.size() == 3);
    CHECK(c.variants[1].name == "concat");
    CHECK(c.reference == 1);
    CHECK(c.variants[0].experiment.train.steps == 12);
    CHECK(c.variants[1].experiment.train.steps == 7);
    CHECK(contains(score_of(c.variants[1]), "\"score\": {\"type\": \"concat\""));
    CHECK(contains(score_of(c.variants[2]), "\"score\": {\"type\": \"general\""));

    const Prepared p = prepare(c, "out");
    CHECK(p.settings.metric == "loss");
    CHECK(p.settings.split == Split::test);
    CHECK(p.settings.threshold == 0.5);
    CHECK(p.settings.reference == 1);
    CHECK(p.settings.steps == std::vector<int64_t>{3, 5});
    REQUIRE(p.runs.size() == 6);
    CHECK(p.runs[0].folder == "out/plain/seed-4");
    CHECK(p.runs[1].folder == "out/concat/seed-4");
    CHECK(p.runs[5].experiment.name == "general-seed-2");
    CHECK(p.runs[5].experiment.seed == 2);
}

TEST_CASE("a base in the config itself, seeds of the command line, --set") {
    const SmallRun files;
    const std::string text =
        std::string(R"({"base": )") + testing::small_config + R"(, "variants": {"a": {"train.batch": 5}, "b": {}}})";
    CHECK(read(files, text).name == "compare");
    CHECK(read(files, text).seeds == std::vector<int64_t>{1, 2, 3});
    CHECK(read(files, text, {}, 2).seeds == std::vector<int64_t>{1, 2});
    CHECK(read(files, text, {}, 5).seeds == std::vector<int64_t>{1, 2, 3, 4, 5});
    const Comparison c =
        read(files, text, {"train.batch=7", "train.steps=3", "compare.metric=accuracy", "compare.split=valid"});
    CHECK(c.variants[0].experiment.train.batch == 5);  // a variant's own wins
    CHECK(c.variants[1].experiment.train.batch == 7);
    CHECK(c.variants[0].experiment.train.steps == 3);
    const Prepared p = prepare(c, "out");
    CHECK(p.settings.metric == "accuracy");
    CHECK(p.settings.better == Better::higher);
    CHECK(p.settings.split == Split::valid);
    CHECK(p.other_batches[0].empty());
    CHECK(p.other_batches[1] == "train.batch");
}

TEST_CASE("seeds and names of runs are the comparison's to give") {
    const SmallRun files;
    const std::string text = R"({"base": "small.json", "variants": {"a": {}}})";
    CHECK(contains(error(files, text, {"seed=3"}), "--set seed=3: a comparison gives each run its own seed and name"));
    CHECK(contains(error(files, text, {"name=x"}), "--set name=x: "));
    CHECK(contains(error(files, text, {"compare.bogus=1"}), "--set compare.bogus=1: compare.bogus: unknown key"));
    CHECK(contains(error(files, text, {"train.bogus=1"}), "variants.a: --set train.bogus=1: train.bogus: unknown key"));
}

TEST_CASE("automatic choices follow the data") {
    const SmallRun files;
    const std::string text = R"({"base": "small.json", "variants": {"a": {}, "b": {}}})";
    CHECK(prepare(read(files, text), "o").settings.metric == "loss");
    CHECK(prepare(read(files, text, {"train.best_metric="}), "o").settings.metric == "exact_match");
    CHECK(prepare(read(files, text, {"data.test_examples=0"}), "o").settings.split == Split::valid);
    const Settings train = prepare(read(files, text, {"data.test_examples=0", "data.valid_examples=0"}), "o").settings;
    CHECK(train.split == Split::train);
    CHECK(train.metric == "loss");
}

TEST_CASE("what is wrong with a comparison is said before anything runs") {
    const SmallRun files;
    const auto check = [&](const std::string& text, const std::string& expected) {
        const std::string message = error(files, text);
        CHECK_MESSAGE(contains(message, expected), message);
        CHECK(contains(message, "compare.json"));
        const Outcome o = attend_command({"compare", (files / "compare.json").string(), "--out", (files / "out").string()});
        CHECK(o.code == 2);
        CHECK(!std::filesystem::exists(files / "out"));
    };
    check(R"({"base": "small.json"})", "compare.json:1: variants: missing: keys found base, keys needed base and variants");
    check(R"({"variants": {"a": {}}})", "base: missing: keys found ");
    check(R"({"base": "other.json", "variants": {"a": {}}})", "base: no such config: 'other.json', looked for at ");
    check(R"({"base": "compare.json", "variants": {"a": {}}})", "base: it is a comparison itself: 'compare.json'");
    check(R"({"base": 3, "variants": {"a": {}}})", "base: wrong type: expected a config's path or an object, got 3");
    check(R"({"base": "small.json", "variants": {}})", "variants: expected an object of at least one variant");
    check(R"({"base": "small.json", "variants": [1]})",
          "variants: expected an object of at least one variant, got a list of 1");
    check(R"({"base": "small.json", "variants": {"a/b": {}}})", "a variant is named as its folder: name 'a/b'");
    check(R"({"base": "small.json", "variants": {"a\u0007": {}}})", "a variant is named as its folder: name 'a\\u0007'");
    check(R"({"base": "small.json", "variants": {"a\u202eb": {}}})", "a variant is named as its folder: name 'a\\u202eb'");
    check(R"({"base": "small.json", "variants": {"": {}}})", "a variant is named as its folder: name ''");
    for (const std::string name : {"compare.json", "compare.html", "log.txt", "config.json", "metrics.jsonl", "maps",
                                   "COMPARE.json", "Log.TXT", "events.out.tfevents.1.attend"})
        check("{\"base\": \"small.json\", \"variants\": {\"" + name + "\": {}}}",
              "compare.json:1: variants: the comparison has a file or folder of that name itself: name '" + name +
                  "'; choose another");
    for (const std::string name : {".", "..", ".lock", "a\\\\b"})
        check("{\"base\": \"small.json\", \"variants\": {\"" + name + "\": {}}}", "a variant is named as its folder: name '");
    check(R"({"base": "small.json", "variants": {"soft": {}, "Soft": {}}})",
          "variants: names that differ in capitals alone: 'soft' and 'Soft'; choose another");
    check(R"({"base": {"extended": {"at": [5], "before": [5], "now": [9]}, "data": "copy", "model": "rnn_seq2seq"},
              "variants": {"a": {}}})",
          "extended: the experiment of a run that went on after its end");
    check(R"({"base": "small.json", "variants": {"a": {}, "a": {}}})", "duplicate key");
    check(R"({"base": "small.json", "variants": {"a": 1}})", "variants.a: ");
    check("{\"base\": \"small.json\", \"variants\": {\n\"a\": {},\n\"b\": {\"model.attention.scor\": \"dot\"}}}",
          "compare.json:3: model.attention.scor: unknown key; did you mean 'score'?");
    check(R"({"base": "small.json", "variants": {"a": {"model.attention.score": "dott"}}})", "variants.a: ");
    check(R"({"base": "small.json", "variants": {"a": {"seed": 4}}})", "seed: a comparison gives each run its own");
    check(R"({"base": "small.json", "variants": {"a": {"model.attention.score": "dot", "model.attention": {}}}})",
          "model.attention: comes after and would undo model.attention.score: put it first");
    check(R"({"base": "small.json", "variants": {"a": {}, "b": {"train.shards": 50}}})",
          "variants.b: train.shards: a batch cannot be cut finer than its rows");
    check(R"({"base": "small.json", "seeds": [1, 1], "variants": {"a": {}}})", "seeds: given twice: 1");
    check(R"({"base": "small.json", "seeds": [1.5], "variants": {"a": {}}})", "seeds: not an integer from 0 to 2^53: 1.5");
    check(R"({"base": "small.json", "seeds": [], "variants": {"a": {}}})", "seeds: wrong count: 0, allowed 1 to 1000");
    check(R"({"base": "small.json", "sedes": [1], "variants": {"a": {}}})", "sedes: unknown key; did you mean 'seeds'?");
    check(R"({"base": "small.json", "variants": {"a": {}}, "compare": {"metrik": "loss"}})",
          "compare.metrik: unknown key; did you mean 'metric'?");
    check(R"({"base": "small.json", "variants": {"a": {}}, "compare": {"metric": "acuracy"}})",
          "compare.metric: variant 'a' does not measure it on the test split: 'acuracy'; did you mean 'accuracy'?");
    check(R"({"base": "small.json", "variants": {"a": {}, "b": {"data.test_examples": 0}}, "compare": {"split": "test"}})",
          "compare.split: variant 'b' has no examples of the split 'test'");
    check(R"({"base": "small.json", "variants": {"a": {}, "b": {}}, "compare": {"reference": "c"}})",
          "compare.reference: no such variant: 'c', known a, b");
}

TEST_CASE("a comparison is not trained, and an experiment not compared") {
    const SmallRun files;
    read(files, R"({"base": "small.json", "variants": {"a": {}}})");
    const std::string comparison = (files / "compare.json").string();
    for (const char* command : {"train", "check"}) {
        const Outcome o = attend_command({command, comparison});
        CHECK(o.code == 2);
        CHECK_MESSAGE(
            contains(
                o.error,
                "compare.json:1: a comparison is not an experiment: it has 'variants' or 'grid'; 'attend compare' runs it"),
            o.error);
    }
    const Outcome o = attend_command({"compare", (files / "small.json").string()});
    CHECK(o.code == 2);
    CHECK(contains(o.error, "an experiment is trained with 'attend train'"));
}

TEST_CASE("every shipped comparison can be begun") {
    for (const auto& entry : std::filesystem::directory_iterator(std::filesystem::path(ATTEND_SOURCE_DIR) / "configs")) {
        const std::string path = entry.path().string();
        if (entry.path().extension() != ".json" || !is_comparison(path))
            continue;
        CAPTURE(path);
        const Comparison c = read_comparison(path, {});
        CHECK(c.variants.size() >= 2);
        bool missing = false;
        for (const Variant& v : c.variants)
            for (const std::string& file : files_of(v.experiment)) missing |= !std::filesystem::exists(file);
        const std::string message = message_of([&] { prepare(c, "out"); });
        CHECK_MESSAGE((missing ? contains(message, "datasets/") : message.empty()), message);
    }
}

TEST_CASE("plan, schema and list know comparisons") {
    const SmallRun files;
    read(files,
         R"({"name": "two", "base": "small.json", "seeds": [1, 2, 3], "variants": {"a": {}, "longer": {"train.steps": 24}}})");
    const std::string path = (files / "compare.json").string();
    const Outcome text = attend_command({"plan", path, "--threads", "2"});
    CHECK(text.code == 0);
    CHECK_MESSAGE(contains(text.out, "comparison two: 2 variants x 3 seeds: 6 runs, compared by loss of the test split"),
                  text.out);
    CHECK(contains(text.out, "2 runs side by side on 1 thread each: about 0:0"));
    const Json json = Json::parse(attend_command({"plan", path, "--threads", "4", "--json", "--set", "train.batch=8"}).out);
    CHECK(json["parallel"] == 4);
    CHECK(json["variants"][1]["steps"] == 24);
    CHECK(json["variants"][0]["parameters"] == json["variants"][1]["parameters"]);
    CHECK(json["seconds"].get<double>() >= json["variants"][1]["seconds"].get<double>());
    CHECK(contains(attend_command({"plan", path, "--seed", "1"}).error, "a comparison has seeds of its own: --seed 1"));

    const Json schema = Json::parse(attend_command({"schema", "--comparison"}).out);
    CHECK(schema["required"] == Json::array({"base"}));
    CHECK(schema["properties"]["seeds"]["items"]["type"] == "integer");
    CHECK(schema["properties"]["compare"]["properties"]["split"]["enum"].size() == 4);
    CHECK(schema["additionalProperties"] == false);
    CHECK(contains(attend_command({"list", "compare"}).out, "compare.threshold"));
}

TEST_CASE("variants begin with the same parameters and see the same batches") {
    const SmallRun files;
    const Comparison c = read(files, R"({"base": "small.json", "variants": {
        "soft": {"model.form": "luong"},
        "sharp": {"model.form": "luong", "model.attention.align": {"type": "softmax", "temperature": 0.5}},
        "hard": {"model.form": "luong", "model.attention.select": {"type": "hard", "estimator": "exact"}},
        "rate": {"model.form": "luong", "optimizer.learning_rate": 0.1},
        "wider": {"model.form": "luong", "model.hidden": 8}}})");
    std::vector<std::vector<real>> initial;
    std::vector<std::string> batches;
    for (const Variant& v : c.variants) {
        const std::unique_ptr<Task> task = make_task(v.experiment, "");
        const Experiment e = resolve_for(v.experiment, *task);
        const ModelInStore made = make_model(e, *task);
        initial.emplace_back(made.store->data(), made.store->data() + made.store->size());
        const std::unique_ptr<Batches> order = task->batches(Split::train, training_order(e));
        std::string ids;
        for (int64_t i = 0; i < 3 * order->per_epoch(); ++i) {
            const Batch b = order->at(i);
            for (int64_t r = 0; r < b.rows(); ++r)
                for (int64_t k = 0; k < b.source.length(r); ++k) ids += std::to_string(b.source.row(r)[k]) + " ";
        }
        batches.push_back(std::move(ids));
    }
    for (const std::size_t i : {1, 2, 3}) {
        CHECK(initial[i] == initial[0]);
        CHECK(batches[i] == batches[0]);
    }
    CHECK(initial[4] != initial[0]);  // other shapes; batches are the same still
    CHECK(batches[4] == batches[0]);
    Experiment other = c.variants[0].experiment;
    other.seed += 1;
    const std::unique_ptr<Task> task = make_task(other, "");
    const ModelInStore made = make_model(resolve_for(other, *task), *task);
    CHECK(std::vector<real>(made.store->data(), made.store->data() + made.store->size()) != initial[0]);
}

TEST_SUITE_END();

}  // namespace compare_config_test
