// What a model, a checkpoint or a data file says against what was asked for: limits of positions,
// broken files, other data.
#include <doctest/doctest.h>

#include <algorithm>
#include <fstream>

#include "nn/models/transformer_seq2seq.h"
#include "tests/train/commands.h"
#include "tests/train/run_support.h"
#include "train/evaluate/evaluate.h"
#include "train/exchange/pretrained.h"
#include "train/experiment/assemble.h"
#include "train/study/plan/plan.h"

namespace limits_test {

TEST_SUITE_BEGIN("train: limits");

using namespace attend;
using attend::testing::attend_command;
using attend::testing::contains;
using attend::testing::message_of;
using attend::testing::Outcome;
using attend::testing::SmallRun;
namespace fs = std::filesystem;

namespace {

// Copies of up to 5 letters, learnt from files by a transformer with 8 positions.
struct Letters {
    oracles::TemporaryFolder folder;
    std::string config = (folder / "c.json").string(), run = (folder / "run").string();
    explicit Letters(
        const std::string& model = R"({"type": "transformer_seq2seq", "layers": 1, "heads": 2, "width": 8, "max_length": 8})") {
        write("train", 40, 1);
        write("test", 10, 3);
        std::ofstream(folder / "c.json")
            << R"({"data": {"task": "tsv", "unit": "word", "train": "train", "valid": "test", "test": "test"},
            "model": )"
            << model << R"(, "train": {"steps": 4, "batch": 8, "shards": 1, "evaluate_every": 2}})";
    }
    void write(const char* name, int rows, uint64_t seed) const {
        Stream stream(seed, "letters");
        std::ofstream file(folder / name);
        for (int i = 0; i < rows; ++i) {
            std::string text;
            for (uint32_t n = 1 + stream.below(5); n > 0; --n)
                text += std::string(text.empty() ? "" : " ") + static_cast<char>('a' + stream.below(4));
            file << text << '\t' << text << '\n';
        }
    }
    Outcome train(std::vector<std::string> more = {}) const {
        more.insert(more.begin(), {"train", config, "--out", run});
        return attend_command(more);
    }
};

void flip_a_byte(const fs::path& path) {
    std::string bytes = read_file(path, 1 << 24);
    bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
    std::ofstream(path, std::ios::binary) << bytes;
}

}  // namespace

TEST_CASE("decoding never goes beyond the model's positions, and a longer line is cut and counted") {
    const Letters letters;
    REQUIRE(letters.train().code == 0);  // the task allows 2 n + 50 symbols
    const Outcome o = attend_command({"translate", letters.run}, "a b\na a a a a a a a a a a\n\nc\n");
    CHECK(o.code == 0);
    CHECK(std::count(o.out.begin(), o.out.end(), '\n') == 4);
    CHECK(contains(
        o.error,
        "lines cut to 8 symbols (decode.max_source, or the model's own limit): 1, the first line 2; symbols left out 3"));
    ParameterStore store(1);
    TransformerSeq2SeqOptions options;
    options.blocks.heads = 1;
    options.blocks.width = 2;
    options.max_length = 8;
    const TransformerSeq2Seq model(options, Scope(store), {6, 6});
    const Experiment e = read_experiment(letters.config, {});
    const auto task = make_task(e, "");
    Ids source(1, 2);
    source.lengths[0] = 2;
    CHECK(decode_limits(model, *task, source, 0) == std::vector<int64_t>{8});
    CHECK(decode_limits(model, *task, source, 100) == std::vector<int64_t>{8});
    CHECK(decode_limits(model, *task, source, 5) == std::vector<int64_t>{5});
}

TEST_CASE("columns that are not sources are not read as such") {
    const Letters letters;
    REQUIRE(letters.train().code == 0);
    const Outcome o = attend_command({"translate", letters.run}, "a b\nc\td\n");
    CHECK(o.code == 2);
    CHECK(contains(o.error, "a line to translate is the source column alone: columns 2, needed 1"));
}

TEST_CASE("scheduled sampling is refused by a model that reads all at once, before an old run is touched") {
    const Letters letters;
    REQUIRE(letters.train().code == 0);
    const std::vector<std::string> share = {"--overwrite", "--set", "objective.scheduled_sampling.share=0.5"};
    const Outcome o = letters.train(share);
    CHECK(o.code == 2);
    CHECK(contains(o.error, "objective.scheduled_sampling.share: this model reads all symbols of a target at once"));
    CHECK(contains(o.error, "share 0.5, allowed 0"));
    CHECK(fs::exists(letters.run + "/checkpoints/last/model.safetensors"));
    CHECK(attend_command({"plan", letters.config, "--set", "objective.scheduled_sampling.share=0.5"}).code == 2);
}

TEST_CASE("a run does not begin with a broken checkpoint, and plan says what train would") {
    const Letters letters;
    REQUIRE(letters.train().code == 0);
    const std::string from = "init.from=" + letters.run;
    CHECK(attend_command({"plan", letters.config, "--set", from}).code == 0);
    CHECK(attend_command({"plan", letters.config, "--set", from, "--set", "model.width=4"}).code == 2);
    CHECK(contains(attend_command({"plan", letters.config, "--set", from + "x"}).error, "init.from: nothing of that name"));
    flip_a_byte(fs::path(letters.run) / "checkpoints/best/model.safetensors");
    for (const char* command : {"plan", "train"}) {
        const Outcome o = attend_command({command, letters.config, "--set", from});
        CHECK(o.code == 2);
        CHECK(contains(o.error, "CRC-32"));
    }
}

TEST_CASE("eval says so when the data are not those of the training") {
    const Letters letters;
    REQUIRE(letters.train().code == 0);
    CHECK(!contains(attend_command({"eval", letters.run}).error, "data files"));
    letters.write("test", 6, 9);
    const Outcome o = attend_command({"eval", letters.run});
    CHECK(o.code == 0);
    CHECK(contains(o.error,
                   "warning: " + letters.run + ": the data files are not those that the run was trained with: then train "));
}

TEST_CASE("plan knows the averaged weights, batches whose gradients are added up, one batch alone, and a limit of time") {
    const SmallRun runs;
    const auto planned = [&](const std::vector<std::string>& set) {
        return plan::make_plan(runs.request("r", set).experiment, 1);
    };
    const plan::Plan plain = planned({}), averaged = planned({"train.average=0.9"});
    const double model = static_cast<double>(plain.parameters) * sizeof(real) / (1 << 20);
    CHECK(averaged.estimate.checkpoint_mib - plain.estimate.checkpoint_mib == doctest::Approx(model));
    // 60 examples in batches of 9 are 7 batches
    CHECK(contains(plan::text_of(planned({"train.accumulate=3", "train.steps=7"})), "7 steps: 3 epochs"));
    CHECK(planned({"train.overfit_one_batch=true"}).estimate.evaluations.empty());
    CHECK(
        contains(plan::text_of(planned({"train.max_seconds=0.001", "train.steps=100000"})), "train.max_seconds ends it after"));
}

TEST_CASE("one batch alone is one batch, also where gradients are added up") {
    const SmallRun runs;
    runs.run("one", {"train.overfit_one_batch=true", "model.dropout=0"});
    runs.run("more", {"train.overfit_one_batch=true", "model.dropout=0", "train.accumulate=3"});
    CHECK(runs.model("one") == runs.model("more"));
}

TEST_CASE("average takes the last checkpoints, not a best one of long ago") {
    const SmallRun runs;
    runs.run("r", {"train.keep=1", "train.evaluate_every=2", "train.best_metric=loss"});
    const auto steps = RunFolder(runs / "r").steps();
    REQUIRE(steps.size() >= 2);
    const Outcome o = attend_command({"average", (runs / "r").string()});
    CHECK(o.code == 0);
    CHECK(contains(o.out, "mean of 2 checkpoints, step-10 to step-12"));
}

TEST_CASE("eval of running text refuses what only sources have") {
    const oracles::TemporaryFolder folder;
    std::ofstream text(folder / "a.txt");
    for (int i = 0; i < 50; ++i) text << "abcdef\n";
    text.close();
    std::ofstream(folder / "c.json") << R"({"data": {"task": "text", "path": "a.txt"},
        "model": {"type": "gpt", "layers": 1, "heads": 2, "width": 8, "context": 8}, "train": {"steps": 1, "batch": 2, "shards": 1}})";
    const std::string run = (folder / "run").string();
    REQUIRE(attend_command({"train", (folder / "c.json").string(), "--out", run}).code == 0);
    CHECK(attend_command({"eval", run, "--split", "valid"}).code == 0);
    for (const std::vector<std::string>& more :
         {std::vector<std::string>{"--tables"}, {"--beam", "2"}, {"--examples", run + "/e"}}) {
        std::vector<std::string> command = {"eval", run, "--split", "valid"};
        command.insert(command.end(), more.begin(), more.end());
        const Outcome o = attend_command(command);
        CHECK(o.code == 2);
        CHECK(contains(o.error, "nothing is decoded from sources here"));
    }
}

TEST_SUITE_END();

}  // namespace limits_test
