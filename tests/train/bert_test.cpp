// The encoder end to end: masked words, next sentence, then fine-tuning to labels, and the commands
// on such runs.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/safetensors.h"
#include "tests/train/commands.h"
#include "tests/train/run_support.h"
#include "train/evaluate/evaluate.h"
#include "train/evaluate/resolve.h"
#include "train/exchange/pretrained.h"
#include "train/experiment/assemble.h"
#include "train/experiment/objective.h"
#include "train/learn/replay.h"
#include "train/learn/step.h"
#include "train/records/bundle.h"

namespace bert_test {

TEST_SUITE_BEGIN("train: bert");

using namespace attend;
using attend::testing::attend_command;
using attend::testing::contains;
using attend::testing::message_of;
using attend::testing::Outcome;
namespace fs = std::filesystem;
using Strings = std::vector<std::string>;

namespace {

constexpr const char* words[] = {"one", "two", "three", "four", "five", "six", "seven"};

// One of them several times.
std::string repeated(std::size_t word, int count) {
    std::string text;
    for (int i = 0; i < count; ++i) text += (i ? " " : "") + std::string(words[word]);
    return text;
}

class Runs {
  public:
    Runs() {
        Stream stream(3, "words");
        const auto drawn = [&](uint32_t n) { return static_cast<std::size_t>(stream.below(n)); };
        const auto kind = [](std::size_t word) { return word % 2 == 0 ? "odd" : "even"; };
        std::ofstream text(folder_ / "text");
        for (int i = 0; i < 150; ++i) text << repeated(drawn(7), 12) << '\n';
        for (const char* split : {"rows", "rows.valid"}) {
            std::ofstream rows(folder_ / split), pairs(folder_ / (std::string(split) + ".pairs"));
            for (int i = 0; i < 120; ++i) {
                const std::size_t a = drawn(7), b = drawn(7);
                rows << repeated(a, 2 + static_cast<int>(drawn(4))) << '\t' << kind(a) << '\n';
                pairs << repeated(a, 3) << '\t' << repeated(b, 3) << '\t' << kind(b) << '\n';  // the second text decides
            }
        }
        std::ofstream(folder_ / "masked.json")
            << R"({"seed": 3, "data": {"task": "masked_text", "path": "text", "tokenizer": "word", "mask_share": 0.3},
            "model": {"type": "bert", "layers": 1, "heads": 2, "width": 16, "context": 12, "init": 0.1},
            "optimizer": {"type": "adamw", "learning_rate": 0.01}, "schedule": {"type": "cosine", "warmup": 10},
            "train": {"steps": 100, "batch": 8, "shards": 4, "evaluate_batch": 4, "log_every": 7, "evaluate_every": 100}})";
        std::ofstream(folder_ / "rows.json") << R"({"seed": 3, "data": {"task": "classification", "train": "rows",
            "valid": "rows.valid", "tokenizer": "word"},
            "model": {"type": "bert", "layers": 1, "heads": 2, "width": 16, "context": 12, "dropout": 0.1},
            "optimizer": {"type": "adamw", "learning_rate": 0.01}, "schedule": {"type": "cosine", "warmup": 10},
            "train": {"steps": 60, "batch": 8, "shards": 3, "evaluate_batch": 50, "evaluate_every": 60}})";
    }
    fs::path operator/(const std::string& name) const { return folder_ / name; }
    std::string path(const std::string& name) const { return (folder_ / name).string(); }
    TrainRequest request(const char* config, const std::string& name, const Strings& set = {}) const {
        TrainRequest r;
        r.experiment = read_experiment(path(config), set);
        r.folder = path(name);
        return r;
    }
    TrainResult run(const char* config, const std::string& name, const Strings& set = {}, int threads = 1) const {
        TrainRequest r = request(config, name, set);
        r.threads = threads;
        return train(r);
    }
    std::vector<Json> metrics(const std::string& name, const std::string& split) const {
        std::vector<Json> lines;
        std::ifstream in(folder_ / (name + "/metrics.jsonl"));
        for (std::string line; std::getline(in, line);)
            if (Json one = Json::parse(line); one["split"] == split)
                lines.push_back(std::move(one));
        return lines;
    }
    std::string model(const std::string& name) const {
        return read_file(folder_ / (name + "/checkpoints/last/model.safetensors"), 1 << 24);
    }

  private:
    oracles::TemporaryFolder folder_;
};

double value(const TrainResult& r, const char* metric) { return r.progressed.valid->scores.find(metric).value(); }

const Strings pairs_set = {"data.next_sentence=true"};

}  // namespace

TEST_CASE("masked words are learnt, and fine-tuning to labels begins with what was learnt") {
    const Runs runs;
    const TrainResult masked = runs.run("masked.json", "a");
    CHECK(value(masked, "accuracy") > 0.5);  // of seven words
    CHECK(value(masked, "perplexity") == doctest::Approx(std::exp(value(masked, "loss"))));

    // The heads are other ones: missing and extra tensors are named, and what is wanted is said.
    const std::string from = "init.from=" + runs.path("a"), take = "init.take=embedding.*, encoder.*";
    const std::string said = message_of([&] { runs.run("rows.json", "b", {from}); });
    CHECK(contains(said, "4 parameters missing (pooler.weight, pooler.bias, classifier.weight, classifier.bias)"));
    CHECK(contains(said, "5 unknown to this model (masked."));
    CHECK(contains(said, "init.take chooses what is taken"));
    CHECK(!fs::exists(runs / "b"));

    const TrainResult rows = runs.run("rows.json", "b", {from, take});
    CHECK(value(rows, "label_accuracy") > 0.95);
    CHECK(value(rows, "loss") < 0.2);
    const SafetensorsFile before(runs / "a/checkpoints/best/model.safetensors");
    runs.run("rows.json", "c", {from, take, "train.steps=1", "init.freeze=embedding.*, encoder.*"});
    const SafetensorsFile after(runs / "c/checkpoints/last/model.safetensors");
    int compared = 0;
    for (const TensorInfo& t : after.tensors())
        if (t.name.starts_with("e")) {
            CHECK(before.read(t.name).values() == after.read(t.name).values());
            ++compared;
        }
    CHECK(compared == 5 + 12);

    // What no shape shows is compared with the run's config.
    const Outcome heads = attend_command({"train", runs.path("rows.json"), "--out", runs.path("e"), "--set", from, "--set",
                                          take, "--set", "train.steps=1", "--set", "model.activation=relu"});
    CAPTURE(heads.error);
    CHECK(heads.code == 0);
    CHECK(contains(read_file(runs / "e/log.txt", 1 << 20), "model.activation: there \"gelu\", here \"relu\""));

    // The same through the published layout, which has no vocabulary with it.
    CHECK(attend_command({"export", runs.path("a"), runs.path("hf")}).code == 0);
    runs.run("masked.json", "d", {"init.from=" + runs.path("hf"), "init.freeze=e*", "train.steps=1"});
    const SafetensorsFile taken(runs / "d/checkpoints/last/model.safetensors");
    for (const TensorInfo& t : taken.tensors())
        if (t.name.starts_with("e"))
            CHECK(before.read(t.name).values() == taken.read(t.name).values());
}

TEST_CASE("next sentence: loss is the mean over words plus that over rows, the same in pieces, by threads and resumed") {
    const Runs runs;
    Strings set = pairs_set;
    set.insert(set.end(), {"train.steps=20", "train.evaluate_every=20"});
    const TrainResult whole = runs.run("masked.json", "a", set, 1);
    runs.run("masked.json", "b", set, 2);
    CHECK(runs.model("a") == runs.model("b"));
    CHECK(value(whole, "label_accuracy") >= 0);
    CHECK(value(whole, "loss") > std::log(value(whole, "perplexity")));  // which is that of the words

    TrainRequest stopped = runs.request("masked.json", "c", set);
    int64_t done = 0;
    stopped.after_step = [&](int64_t step) { done = step; };
    stopped.stop = [&] { return done == 11; };  // between two training lines, whose sums go on
    train(stopped);
    stopped.existing = Existing::resume;
    stopped.stop = nullptr;
    train(stopped);
    CHECK(runs.model("a") == runs.model("c"));
    const std::vector<Json> a = runs.metrics("a", "train"), c = runs.metrics("c", "train");
    REQUIRE(a.size() == c.size());
    for (std::size_t i = 0; i < a.size(); ++i) CHECK(a[i]["loss"] == c[i]["loss"]);

    // What an evaluation says is what the objective says of all its batches as one step's.
    const Experiment e = runs.request("masked.json", "x", set).experiment;
    const auto task = make_task(e, "");
    const ModelInStore made = make_model(e, *task);
    const auto batches = task->batches(Split::valid, {.batch = 3, .seed = 3, .shuffled = false});
    LossCounts counts;
    LossSums sums;
    for (int64_t k = 0; k < batches->per_epoch(); ++k) counts += loss_counts(batches->at(k));
    const auto objective = objective_table().build(e.objective);
    double loss = 0;
    for (int64_t k = 0; k < batches->per_epoch(); ++k) {
        const Batch b = batches->at(k);
        const ShardLoss part = objective->evaluate(*made.model, b, counts, {});
        loss += static_cast<double>(part.loss.item());
        sums += part.sums;
    }
    CHECK(counts.labels == task->size(Split::valid));
    CHECK(counts.targets > counts.labels);
    Workers workers(1);
    const auto evaluated =
        evaluate(*made.model, *task, {.split = Split::valid, .batch = 5, .decode = Decode::yes, .seed = 3}, workers);
    CHECK(evaluated->scores.find("loss").value() == doctest::Approx(loss).epsilon(1e-5));
    CHECK(sums.mean(counts) == doctest::Approx(loss).epsilon(1e-5));
    const double words_loss = sums.targets / static_cast<double>(counts.targets);
    CHECK(evaluated->scores.find("perplexity").value() == doctest::Approx(std::exp(words_loss)).epsilon(1e-5));
}

TEST_CASE("labels alone: rows are what is counted, also of pairs and of several batches a step") {
    const Runs runs;
    const Strings pairs = {"data.train=" + runs.path("rows.pairs"),
                           "data.valid=" + runs.path("rows.valid.pairs"),
                           "data.second=2",
                           "data.label=3",
                           "train.accumulate=2",
                           "train.steps=100",
                           "train.evaluate_every=100"};
    const TrainResult r = runs.run("rows.json", "a", pairs);
    CHECK(value(r, "label_accuracy") > 0.9);
    CHECK(value(r, "perplexity") == doctest::Approx(std::exp(value(r, "loss"))));
    CHECK_FALSE(r.progressed.valid->scores.find("accuracy").has_value());
    for (const Json& line : runs.metrics("a", "train")) CHECK(line["tokens_per_second"].get<double>() > 0);
    CHECK(attend_command({"plan", runs.path("rows.json"), "--threads", "1"}).code == 0);
}

TEST_CASE("commands on a run of an encoder: eval with tables, no translating, no writing") {
    const Runs runs;
    runs.run("rows.json", "a", {"train.steps=40", "train.evaluate_every=40"});
    const Outcome eval = attend_command({"eval", runs.path("a"), "--tables"});
    CHECK(eval.code == 0);
    CHECK(contains(eval.out, "label_accuracy"));
    CHECK(contains(eval.out, "'odd'"));
    CHECK(contains(eval.out, "'even'"));
    const Outcome json = attend_command({"eval", runs.path("a"), "--json"});
    const Json line = Json::parse(json.out);
    CHECK(line["intervals"]["loss"][0].get<double>() <= line["loss"].get<double>());
    CHECK(line["intervals"]["loss"][1].get<double>() >= line["loss"].get<double>());
    const Outcome examples = attend_command({"eval", runs.path("a"), "--examples", runs.path("x")});
    CHECK(examples.code == 2);
    CHECK(contains(examples.error, "nothing is decoded from sources here: source vocabulary 0, classes 2"));
    for (const Strings& command :
         {Strings{"generate", runs.path("a"), "--prompt", "one two"}, Strings{"translate", runs.path("a")}}) {
        const Outcome o = attend_command(command, "one two\n");
        CHECK(o.code == 2);
        CHECK(o.out.empty());
        CHECK(contains(o.error, command[0] == "generate" ? "'attend eval' says how well" : "nothing to translate"));
    }
    const std::string samples = read_file(runs / "a/samples.txt", 1 << 20);
    CHECK((contains(samples, "reference  odd\ndecoded    odd") || contains(samples, "reference  even\ndecoded    even")));
}

TEST_CASE("a step on labels and segments that fails is recorded and replayed, and its rows are named") {
    const Runs runs;
    for (const char* config : {"masked.json", "rows.json"}) {
        CAPTURE(config);
        const bool masked = std::string(config) == "masked.json";
        const Strings set =
            masked ? pairs_set
                   : Strings{"data.train=" + runs.path("rows.pairs"), "data.second=2", "data.label=3", "data.valid="};
        const Experiment asked = runs.request(config, "x", set).experiment;
        const auto task = make_task(asked, "");
        Bundle bundle;
        bundle.experiment = resolve_for(asked, *task);
        bundle.vocabularies = vocabularies_of(*task);
        const Experiment& e = bundle.experiment;
        const ModelInStore made = make_model(e, *task);
        bundle.batches = {task->batches(Split::train, training_order(e))->at(0)};
        const Batch& batch = bundle.batches.front();
        REQUIRE(batch.segments.rows == 8);
        REQUIRE(batch.labels.size() == 8);
        const int32_t sick = batch.input.at(3, 1);  // a word of row 3
        made.store->values(*made.store->find("embedding.word.weight"))[int64_t{16} * sick] =
            std::numeric_limits<real>::infinity();
        const auto objective = objective_table().build(e.objective);
        const auto optimizer = optimizer_table().build(e.optimizer, *made.store);
        const auto schedule = schedule_table().build(e.schedule, optimizer->learning_rate(), e.train.steps);
        Workers workers(1);
        TrainingStep step({*made.model, *made.store, *objective, *optimizer, *schedule, workers}, step_settings(e));
        try {
            step.run(0, batch);
        } catch (const StepDiverged& d) {
            bundle.failure = failure_of(d);
        }
        CHECK(contains(bundle.failure.message, "embedding.word"));
        write_bundle(runs / "b.safetensors", bundle, *made.store);
        const Replayed r = replay(BundleFile(runs / "b.safetensors"), 2);
        CHECK(r.verdict == Replayed::Verdict::reproduced);
        std::vector<int64_t> expected;
        for (int64_t row = 0; row < 8; ++row) {
            const std::span<const int32_t> ids(batch.input.row(row), static_cast<std::size_t>(batch.input.length(row)));
            if (masked || std::ranges::find(ids, sick) != ids.end())  // masked: the embedding is the output layer, too
                expected.push_back(row);
        }
        CHECK((expected.size() == 8) == masked);
        CHECK(r.rows == expected);
    }
}

TEST_CASE("models refuse tasks whose targets are not for them, with exit code 2") {
    const Runs runs;
    const Outcome text = attend_command({"train", runs.path("masked.json"), "--out", runs.path("a"), "--set",
                                         "data={\"task\": \"text\", \"path\": \"" + runs.path("text") + "\"}"});
    CHECK(text.code == 2);
    CHECK(contains(text.error, "model bert: it sees all of its input"));
    const Outcome gpt = attend_command({"train", runs.path("masked.json"), "--out", runs.path("a"), "--set",
                                        R"(model={"type": "gpt", "layers": 1, "width": 16, "context": 12})"});
    CHECK(gpt.code == 2);
    CHECK(contains(gpt.error, "model gpt: it predicts the symbols that follow its input, and no labels: targets 'masked'"));
    CHECK(!fs::exists(runs / "a"));
}

TEST_SUITE_END();

}  // namespace bert_test
