// Fine-tuning, scheduled sampling, the mean of checkpoints, and metrics as a table.
#include <doctest/doctest.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <sstream>

#include "core/base/memory.h"
#include "core/safetensors.h"
#include "tests/train/commands.h"
#include "tests/train/run_support.h"
#include "train/experiment/assemble.h"

namespace pretrained_test {

TEST_SUITE_BEGIN("train: pretrained");

using namespace attend;
using attend::testing::attend_command;
using attend::testing::contains;
using attend::testing::message_of;
using attend::testing::Outcome;
using attend::testing::SmallRun;
namespace fs = std::filesystem;

namespace {

std::vector<real> values(const fs::path& checkpoint, const std::string& name) {
    const SafetensorsFile file(checkpoint / "model.safetensors");
    std::vector<real> v(static_cast<std::size_t>(file.info(name).shape.size()));
    file.read_into(name, v.data(), file.info(name).shape);
    return v;
}

}  // namespace

TEST_CASE("ids of large texts go to the user's cache folder") {
    const SmallRun runs;
    const Experiment e = runs.request("a").experiment;
    const char* const had[] = {std::getenv("XDG_CACHE_HOME"), std::getenv("HOME")};
    const std::string cache = had[0] ? had[0] : "", home = had[1] ? had[1] : "";
    setenv("XDG_CACHE_HOME", "/a/b", 1);
    const TaskSetup first = task_setup(e, "", Data::splits);
    setenv("XDG_CACHE_HOME", "not/absolute", 1);
    setenv("HOME", "/somewhere", 1);
    const std::string second = task_setup(e, "", Data::splits).cache;
    unsetenv("HOME");
    const std::string none = task_setup(e, "", Data::splits).cache;
    had[0] ? setenv("XDG_CACHE_HOME", cache.c_str(), 1) : unsetenv("XDG_CACHE_HOME");
    if (had[1])
        setenv("HOME", home.c_str(), 1);
    CHECK(first.cache == "/a/b/attend");
    CHECK(first.cached_above > 0);
    CHECK(first.cached_above <= static_cast<int64_t>(memory::physical() / 8));
    CHECK(second == "/somewhere/.cache/attend");
    CHECK(none == "");
}

TEST_CASE("a run begins with the weights of another") {
    const SmallRun runs;
    runs.run("a");
    const std::string from = "init.from=" + (runs / "a").string();
    for (const std::string& source : {from, from + "/checkpoints/best", from + "/checkpoints/best/model.safetensors"}) {
        CAPTURE(source);
        runs.run("b", {source, "train.steps=1", "optimizer.learning_rate=1e-12", "seed=9"});
        const std::vector<real> a = values(runs / "a/checkpoints/best", "encoder.embedding.weight"),
                                b = values(runs / "b/checkpoints/last", "encoder.embedding.weight");
        CHECK(a == b);
        fs::remove_all(runs / "b");
    }
    // resumed, it goes on with its own
    TrainRequest stopped = runs.request("c", {from});
    int64_t done = 0;
    stopped.after_step = [&](int64_t step) { done = step; };
    stopped.stop = [&] { return done == 5; };
    train(stopped);
    stopped.existing = Existing::resume;
    stopped.stop = nullptr;
    train(stopped);
    runs.run("d", {from});
    CHECK(runs.model("c") == runs.model("d"));
    runs.run("e");
    CHECK(runs.model("e") != runs.model("d"));
}

TEST_CASE("frozen parameters stay, bit for bit, and all others move") {
    const SmallRun runs;
    runs.run("a");
    runs.run("b", {"init.from=" + (runs / "a").string(), "init.freeze=encoder.*, attention.*"});
    int moved = 0, stayed = 0;
    const SafetensorsFile file(runs / "a/checkpoints/best/model.safetensors");
    for (const TensorInfo& t : file.tensors()) {
        CAPTURE(t.name);
        const bool same = values(runs / "a/checkpoints/best", t.name) == values(runs / "b/checkpoints/last", t.name);
        CHECK(same == (t.name.starts_with("encoder.") || t.name.starts_with("attention.")));
        (same ? stayed : moved) += 1;
    }
    CHECK(moved > 3);
    CHECK(stayed > 3);
}

TEST_CASE("what of the weights is taken, and the vocabulary that goes with them") {
    const SmallRun runs;
    runs.run("a");
    const std::string from = "init.from=" + (runs / "a").string();
    // another width of the decoder: the encoder alone fits
    const std::vector<std::string> wider = {from, "model.hidden=7", "model.encoder_hidden=6", "train.steps=1"};
    CHECK(contains(message_of([&] { runs.run("b", wider); }), "of the wrong shape"));
    CHECK(contains(message_of([&] { runs.run("b", wider); }), "init.take chooses what is taken"));
    CHECK(!fs::exists(runs / "b"));  // said before anything was made
    std::vector<std::string> encoder = wider;
    encoder.insert(encoder.end(), {"init.take=encoder.*", "optimizer.learning_rate=1e-12"});
    runs.run("b", encoder);
    CHECK(values(runs / "a/checkpoints/best", "encoder.embedding.weight") ==
          values(runs / "b/checkpoints/last", "encoder.embedding.weight"));

    std::ofstream(runs / "x.tsv") << "a b\tb a\nb c\tc b\nc a\ta c\n";
    std::ofstream(runs / "y.tsv") << "c b\tb c\nz a\ta z\n";
    const std::vector<std::string> first = {"data={\"task\": \"tsv\", \"train\": \"" + (runs / "x.tsv").string() + "\"}",
                                            "train.batch=2", "train.shards=1", "train.steps=2"};
    runs.run("x", first);
    std::vector<std::string> second = first;
    second[0] = "data={\"task\": \"tsv\", \"train\": \"" + (runs / "y.tsv").string() + "\"}";
    second.push_back("init.from=" + (runs / "x").string());
    runs.run("y", second);
    for (const auto& entry : fs::directory_iterator(runs / "x/vocabulary"))
        CHECK(runs.text(entry.path()) == runs.text((runs / "y/vocabulary") / entry.path().filename()));
    second.push_back("init.vocabulary=own");
    CHECK(contains(message_of([&] { runs.run("own", second); }), "of the wrong shape"));
}

TEST_CASE("what cannot be begun with is refused before the run's folder is made") {
    const SmallRun runs;
    runs.run("a");
    const std::string from = "init.from=" + (runs / "a").string();
    const auto refused = [&](std::vector<std::string> set) {
        const std::string message = message_of([&] { runs.run("b", set); });
        CHECK(!fs::exists(runs / "b"));
        return message;
    };
    CHECK(contains(refused({"init.from=" + (runs / "none").string()}), "nothing of that name"));
    CHECK(contains(refused({from, "init.take=encodr.*"}), "init.take: matches no parameter: pattern 'encodr.*'"));
    CHECK(contains(refused({from, "init.take=,"}), "init.take: no pattern"));
    CHECK(contains(refused({"init.freeze=head.*, decodr.*"}), "init.freeze: matches no parameter: pattern 'decodr.*'"));
    CHECK(contains(refused({"init.freeze=*"}), "nothing is left to train"));
    std::ofstream(runs / "w.safetensors") << "not one";
    CHECK(contains(refused({"init.from=" + (runs / "w.safetensors").string()}), "w.safetensors"));
}

TEST_CASE("scheduled sampling: no share is teacher forcing, a share is another training, the same for any cut") {
    const SmallRun runs;
    runs.run("plain");
    runs.run("none", {"objective={\"type\": \"likelihood\", \"scheduled_sampling\": {\"share\": 0, \"steps\": 0}}"});
    CHECK(runs.model("plain") == runs.model("none"));
    for (const char* model : {"model.form=bahdanau", "model.form=luong"})
        for (const char* symbol : {"drawn", "likeliest"}) {
            CAPTURE(model);
            CAPTURE(symbol);
            const std::vector<std::string> set = {
                model,
                fmt::format("objective={{\"type\": \"likelihood\", \"scheduled_sampling\": {{\"share\": 0.5, \"steps\": 4, "
                            "\"symbol\": \"{}\"}}}}",
                            symbol)};
            const std::string one = fmt::format("{}-{}-1", model, symbol), two = fmt::format("{}-{}-2", model, symbol);
            runs.run(one, set, 1);
            runs.run(two, set, 2);
            CHECK(runs.model(one) == runs.model(two));
            runs.run(one + "forced", {model});
            CHECK(runs.model(one) != runs.model(one + "forced"));
        }
}

TEST_CASE("scheduled sampling draws from the prediction, with the probability that was asked for") {
    const SmallRun runs;
    const Experiment e = runs.request("none", {"model.dropout=0"}).experiment;
    const auto task = task_table().build(e.data, TaskSetup{.seed = 3, .saved = "", .load_data = true});
    const ModelInStore made = make_model(e, *task);
    const Batch batch = task->batches(Split::train, {.batch = 60, .seed = 3, .shuffled = true})->at(0);
    Context context;
    context.mode = Mode::train;
    context.seed = 5;
    const auto loss_with = [&](double share, uint32_t step, LossOptions::Own own) {
        context.step = step;
        const Scored s = made.model->score(score_input(batch),
                                           {.normaliser = 1,
                                            .label_normaliser = 1,
                                            .label_smoothing = 0,
                                            .ignored = id_ignored,
                                            .own_inputs = share,
                                            .own = own},
                                           context);
        return static_cast<double>(s.loss.data()[0]);
    };
    const double forced = loss_with(0, 0, LossOptions::Own::drawn);
    CHECK(loss_with(1e-9, 0, LossOptions::Own::drawn) == doctest::Approx(forced).epsilon(1e-5));  // step by step, no own symbol
    CHECK(loss_with(1, 0, LossOptions::Own::drawn) != doctest::Approx(forced).epsilon(1e-4));
    // other draws at another step; the likeliest symbols are not drawn
    CHECK(loss_with(1, 0, LossOptions::Own::drawn) != loss_with(1, 1, LossOptions::Own::drawn));
    CHECK(loss_with(1, 0, LossOptions::Own::likeliest) == loss_with(1, 1, LossOptions::Own::likeliest));
    // in evaluation the inputs are what they are
    context.mode = Mode::evaluate;
    CHECK(loss_with(1, 0, LossOptions::Own::drawn) == doctest::Approx(forced).epsilon(1e-5));
}

TEST_CASE("the mean of a run's last checkpoints can be evaluated") {
    const SmallRun runs;
    runs.run("a", {"train.checkpoint_every=2", "train.keep=9"});
    const std::string run = (runs / "a").string();
    const Outcome made = attend_command({"average", run, "--last", "3"});
    CHECK(made.code == 0);
    CHECK(contains(made.out, "mean of 3 checkpoints, step-8 to step-12"));
    const std::string name = "decoder.embedding.weight";
    const auto mean = values(runs / "a/checkpoints/average", name), x = values(runs / "a/checkpoints/step-8", name),
               y = values(runs / "a/checkpoints/step-10", name), z = values(runs / "a/checkpoints/step-12", name);
    for (std::size_t i = 0; i < mean.size(); ++i)
        CHECK(double(mean[i]) == doctest::Approx((double(x[i]) + double(y[i]) + double(z[i])) / 3).epsilon(1e-5));
    CHECK(attend_command({"eval", run + "/checkpoints/average"}).code == 0);

    CHECK(contains(attend_command({"average", run}).error, "there is something of that name already"));
    CHECK(contains(attend_command({"average", run, "--last", "50"}).error,
                   "too few checkpoints for a mean: checkpoints 6, needed 50"));
    for (const char* taken : {"last", "best", "step-3", ".x", "a/b", ""})
        CHECK(contains(attend_command({"average", run, "--name", taken}).error, "--name: not a name of its own"));
    CHECK(attend_command({"average", run, "--name", "all"}).code == 0);
    // it is no checkpoint to go on with
    CHECK(contains(attend_command({"average", (runs / "none").string()}).error, "no such run"));
}

TEST_CASE("metrics as comma-separated values") {
    const SmallRun runs;
    runs.run("a");
    const std::string run = (runs / "a").string();
    const Outcome all = attend_command({"metrics", run});
    CHECK(all.code == 0);
    std::istringstream lines(all.out);
    std::string header, line;
    std::getline(lines, header);
    CHECK(header.starts_with("step,split,loss,seconds,"));
    const auto commas = std::count(header.begin(), header.end(), ',');
    std::size_t rows = 0;
    while (std::getline(lines, line)) {
        ++rows;
        CHECK(std::count(line.begin(), line.end(), ',') == commas);
    }
    CHECK(rows == runs.metrics("a").size());
    CHECK(attend_command({"metrics", run, "--split", "valid"}).out.find("train") == std::string::npos);
    CHECK(attend_command({"metrics", run, "--split", "other"}).code == 2);
    CHECK(contains(attend_command({"metrics", (runs / "none").string()}).error, "config.json is missing"));
    std::ofstream(runs / "a/metrics.jsonl", std::ios::app) << "{\"step\": 13, \"spl";  // being written
    CHECK(attend_command({"metrics", run}).out == all.out);
    std::ofstream(runs / "a/metrics.jsonl", std::ios::app) << "\nbroken\n";
    CHECK(contains(attend_command({"metrics", run}).error, "metrics.jsonl:"));
}

TEST_SUITE_END();

}  // namespace pretrained_test
