// Six planted faults: each is named with its op and module, and its bundle fails the same way
// elsewhere. What the library ships is protected against most of them, so those are planted in a
// model of this test's own, without the protection.
#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <sstream>

#include "core/base/trace.h"
#include "core/ops.h"
#include "tests/train/commands.h"
#include "tests/train/run_support.h"
#include "train/experiment/assemble.h"
#include "train/experiment/objective.h"
#include "train/learn/replay.h"
#include "train/learn/step.h"

namespace planted_faults_test {

TEST_SUITE_BEGIN("train: planted faults");

using namespace attend;
using attend::testing::attend_command;
using attend::testing::contains;
using attend::testing::message_of;
using attend::testing::Outcome;
using attend::testing::SmallRun;
using Verdict = Replayed::Verdict;
namespace fs = std::filesystem;

namespace {

enum class Fault { none, masked_row, log_of_zero, exp_overflow, poisoned_batch, empty_length };

constexpr int64_t width = 4, vocabulary = 8;
constexpr int32_t rare = 7;  // a symbol of the sick batches alone

// Reads the source's symbols by attention of one fixed query and predicts each target from what was
// read.
class PlantedModel final : public Model {
  public:
    PlantedModel(const Scope& scope, Fault fault) : fault_(fault) {
        table_ = scope.in("encoder").add("table", {vocabulary, width}, Init::normal(0.1));
        query_ = scope.in("decoder.attention").add("query", {width, 1}, Init::normal(0.1));
        head_ = scope.in("head").add("weight", {width, vocabulary}, Init::normal(0.1));
        ParameterStore& store = scope.store();
        real* row = store.values(*store.find("encoder.table")) + rare * width;
        if (fault_ == Fault::poisoned_batch)
            row[1] = std::numeric_limits<real>::quiet_NaN();
        if (fault_ == Fault::log_of_zero || fault_ == Fault::exp_overflow)  // a score of 1200 for that symbol
            for (int64_t i = 0; i < width; ++i) row[i] = 300 / store.values(*store.find("decoder.attention.query"))[i];
    }

    Scored score(const ScoreInput& batch, const LossOptions& o, const Pass&) const override {
        const auto& [source, input, target, segments, labels] = batch;
        const int64_t rows = source.rows, columns = source.columns;
        Tensor values, read, penalty = Tensor::scalar(0);
        {
            const trace::Scope here("encoder");
            values = embedding(table_, source.values, {rows, columns});
        }
        {
            const trace::Scope here("decoder.attention");
            const Tensor scores = linear(values, query_).reshape({rows, columns});
            Tensor mask = Tensor::zeros({rows, columns}), lengths = Tensor::zeros({rows, 1});
            Ranges ranges;
            for (int64_t r = 0; r < rows; ++r) {
                for (int64_t s = 0; s < source.length(r); ++s) mask.writable()[r * columns + s] = 1;
                lengths.writable()[r] = static_cast<real>(source.length(r));
                ranges.push_back({0, source.length(r)});
            }
            Tensor weights = softmax(scores, ranges);
            if (fault_ == Fault::masked_row || fault_ == Fault::exp_overflow) {  // no maximum taken off, no empty row seen
                const Tensor powers = exp(scores) * mask;
                weights = powers / sum(powers, -1).reshape({rows, 1});
            }
            if (fault_ == Fault::log_of_zero) {
                weights = sparsemax(scores, ranges);
                penalty = sum(weights * log(weights));
            }
            if (fault_ == Fault::empty_length) {
                const trace::Scope pool("decoder.attention.pool");
                weights = mask / lengths;
            }
            read = matmul(weights.reshape({rows, 1, columns}), values);  // [B, 1, E]
        }
        const trace::Scope here("head");
        Tensor features = read + Tensor::zeros({rows, input.columns, width});
        CrossEntropyOptions loss;
        loss.normaliser = o.normaliser;
        loss.ignored = o.ignored;
        const CrossEntropyResult r =
            head_cross_entropy(features.reshape({rows * input.columns, width}), head_, Transpose::no, {}, target.values, loss);
        return {r.loss + penalty, r.row_loss.reshape({rows, input.columns}), r.predicted};
    }
    std::unique_ptr<DecoderState> start(const Ids&, const Pass&) const override { return nullptr; }
    Advanced advance(DecoderState&, std::span<const int32_t>, const Pass&) const override { return {}; }
    const Sites& sites() const override { return sites_; }

  private:
    Fault fault_;
    Sites sites_;
    Tensor table_, query_, head_;
};

// Four rows of three source symbols and two targets. A sick one has the rare symbol in row 2, or no
// symbols there at all.
Batch batch_of(Fault fault) {
    Batch b;
    b.source = Ids(4, 3);
    b.input = Ids(4, 2);
    b.target = Ids(4, 2);
    for (int64_t r = 0; r < 4; ++r) {
        b.source.lengths[static_cast<std::size_t>(r)] = 3;
        for (int64_t s = 0; s < 3; ++s) b.source.at(r, s) = static_cast<int32_t>(4 + (r + s) % 3);
        for (Ids* ids : {&b.input, &b.target}) {
            ids->lengths[static_cast<std::size_t>(r)] = 2;
            for (int64_t t = 0; t < 2; ++t) ids->at(r, t) = static_cast<int32_t>(4 + (r + t) % 3);
        }
        b.examples.push_back(10 + r);
    }
    if (fault == Fault::masked_row || fault == Fault::empty_length) {
        b.source.lengths[2] = 0;
        for (int64_t s = 0; s < 3; ++s) b.source.at(2, s) = id_pad;
    } else if (fault != Fault::none) {
        b.source.at(2, 1) = rare;
    }
    return b;
}

struct PlantedRun {
    Experiment experiment;
    ParameterStore store;
    PlantedModel model;
    std::unique_ptr<Objective> objective;
    std::unique_ptr<Optimizer> optimizer;
    std::unique_ptr<Schedule> schedule;
    Workers workers;
    TrainingStep step;

    PlantedRun(const SmallRun& runs, Fault fault, uint64_t seed = 3)
        : experiment(runs.request("none", {"optimizer=sgd", "schedule=constant", "train.shards=3"}).experiment),
          store(seed),
          model(Scope(store), fault),
          objective(objective_table().build(experiment.objective)),
          optimizer(optimizer_table().build(experiment.optimizer, store)),
          schedule(schedule_table().build(experiment.schedule, 0.01, 100)),
          workers(2),
          step({model, store, *objective, *optimizer, *schedule, workers}, {.shards = 3, .seed = 3}) {}
};

}  // namespace

TEST_CASE("a planted fault is named with its op, module and step, and its bundle fails the same way elsewhere") {
    struct Case {
        Fault fault;
        const char *module, *op;
    };
    const Case cases[] = {
        {Fault::masked_row, "decoder.attention", "divide"},        {Fault::log_of_zero, "decoder.attention", "log"},
        {Fault::exp_overflow, "decoder.attention", "exp"},         {Fault::poisoned_batch, "encoder", "embedding"},
        {Fault::empty_length, "decoder.attention.pool", "divide"},
    };
    const SmallRun runs;
    for (const Case& c : cases) {
        CAPTURE(c.op);
        CAPTURE(c.module);
        PlantedRun run(runs, c.fault);
        CHECK(run.step.run(0, batch_of(Fault::none)).gradient_norm > 0);
        const Batch sick = batch_of(c.fault);
        const std::vector<real> before(run.store.data(), run.store.data() + run.store.size());
        std::optional<StepFailure> failure;
        try {
            run.step.run(1, sick);
        } catch (const StepDiverged& d) {
            failure = failure_of(d);
        }
        REQUIRE(failure.has_value());
        REQUIRE(failure->found.has_value());
        CAPTURE(failure->message);
        CHECK(failure->found->module == c.module);
        CHECK(failure->found->op == c.op);
        CHECK(failure->found->what == "output");
        CHECK(failure->message.starts_with(fmt::format("step 2: {}: output is not finite: op '{}'", c.module, c.op)));
        CHECK(std::memcmp(before.data(), run.store.data(), before.size() * sizeof(real)) == 0);

        const oracles::TemporaryFolder here, elsewhere;
        Bundle bundle;
        bundle.experiment = run.experiment;
        bundle.vocabularies = {vocabulary, vocabulary};
        bundle.steps_done = 1;
        bundle.batches.push_back(sick);
        bundle.failure = *failure;
        write_bundle(here / "bundle.safetensors", bundle, run.store);
        fs::rename(here / "bundle.safetensors", elsewhere / "received.safetensors");

        const BundleFile file(elsewhere / "received.safetensors");
        PlantedRun fresh(runs, c.fault, /*seed=*/77);
        const Replayed replayed = replay(file, fresh.model, fresh.store, 1);
        CAPTURE(text_of(replayed));
        CHECK(replayed.verdict == Verdict::reproduced);
        CHECK(replayed.now.message == failure->message);
        CHECK(replayed.step == 2);
        CHECK(replayed.rows == std::vector<int64_t>{2});
        CHECK(replayed.examples == std::vector<int64_t>{12});
        CHECK(contains(text_of(replayed), "reproduced: module, op, place and value are the recorded ones"));
        CHECK(contains(text_of(replayed), "1 of 4 rows fail; examples 12"));
        CHECK((replayed.largest.name == "encoder.table") == (c.fault != Fault::masked_row && c.fault != Fault::empty_length));
        CHECK(json_of(replayed).json()["replayed"]["op"] == c.op);

        // a model with another fault, or none, does not reproduce it
        PlantedRun healthy(runs, Fault::none);
        const Replayed finite = replay(file, healthy.model, healthy.store, 1);
        CHECK(finite.verdict == (c.fault == Fault::poisoned_batch ? Verdict::reproduced : Verdict::finite));
        const Fault other = c.fault == Fault::empty_length ? Fault::masked_row : Fault::empty_length;
        if (c.fault == Fault::masked_row || c.fault == Fault::empty_length) {
            PlantedRun wrong(runs, other);
            const Replayed differs = replay(file, wrong.model, wrong.store, 1);
            CHECK(differs.verdict == Verdict::differs);
            CHECK(contains(text_of(differs), "not reproduced: it fails elsewhere"));
        }
    }
}

TEST_CASE("learning rate x 1000: the command's bundle fails the same way in another folder") {
    const SmallRun runs;
    const auto run = [&](const char* name, const char* rate) {
        return attend_command({"train", (runs / "small.json").string(), "--out", (runs / name).string(), "--set",
                               "optimizer={\"type\":\"sgd\",\"weight_decay\":0.01}", "--set",
                               std::string("optimizer.learning_rate=") + rate, "--set", "schedule=constant", "--set",
                               std::string("train.steps=") + (sizeof(real) == 4 ? "80" : "800"), "--set",
                               "train.evaluate_every=20", "--threads", "2"});
    };
    const Outcome good = run("good", "0.5");
    CAPTURE(good.error);
    CHECK(good.code == 0);
    CHECK(!fs::exists(runs / "good/bundle.safetensors"));

    const Outcome bad = run("bad", "500");
    CAPTURE(bad.error);
    REQUIRE(bad.code == 3);
    const std::string bundle = (runs / "bad/bundle.safetensors").string();
    CHECK(contains(bad.error, "output is not finite: op 'linear'"));
    CHECK(contains(bad.error, "; bundle: " + bundle + "; replay the step with: attend check " + bundle));
    const Json summary = runs.summary("bad");
    CHECK(summary["status"] == "diverged");
    const std::string message = summary["message"];
    CHECK(
        message.starts_with("step " + std::to_string(summary["steps"].get<int64_t>() + 1) + ": encoder.rnn.0.forward: output"));
    CHECK(summary["steps"].get<int64_t>() > 20);
    CHECK(fs::exists(runs / "bad/checkpoints/last/model.safetensors"));
    CHECK(attend_command({"eval", (runs / "bad").string()}).code == 0);  // the last good checkpoint

    const oracles::TemporaryFolder elsewhere;
    fs::copy_file(bundle, elsewhere / "b.safetensors");
    const std::string there = (elsewhere / "b.safetensors").string();
    for (const char* threads : {"1", "3"}) {
        const Outcome replayed = attend_command({"check", there, "--threads", threads});
        CAPTURE(replayed.out);
        CHECK(replayed.code == 0);
        CHECK(contains(replayed.out, "replayed  " + message));
        CHECK(contains(replayed.out, "reproduced: module, op, place and value are the recorded ones"));
        CHECK(contains(replayed.out, "9 of 9 rows fail"));
    }
    const Outcome json = attend_command({"check", (runs / "bad").string(), "--json"});
    CHECK(json.code == 0);
    CHECK(Json::parse(json.out)["verdict"] == "reproduced");
    CHECK(Json::parse(json.out)["recorded"]["message"] == message);

    // A bundle that says what this step does not do is not reproduced: exit code 1.
    const BundleFile recorded(bundle);
    const ModelInStore made = make_model(recorded.bundle().experiment, recorded.bundle().vocabularies);
    write_bundle(elsewhere / "finite.safetensors", recorded.bundle(), *made.store);  // with initial weights
    recorded.load(*made.store);
    Bundle other = recorded.bundle();
    other.failure.found->op = "exp";
    write_bundle(elsewhere / "other.safetensors", other, *made.store);
    for (const auto& [name, verdict] :
         {std::pair("finite.safetensors", "it does not fail"), {"other.safetensors", "it fails elsewhere"}}) {
        const Outcome replayed = attend_command({"check", (elsewhere / name).string()});
        CHECK(replayed.code == 1);
        CHECK(contains(replayed.out, std::string("not reproduced: ") + verdict));
    }

    // Another run in the folder takes the bundle away; what ends well leaves none.
    CHECK(attend_command({"train", (runs / "small.json").string(), "--out", (runs / "bad").string(), "--overwrite"}).code == 0);
    CHECK(!fs::exists(bundle));
}

TEST_CASE("a step of several batches, clipped and averaged, is recorded whole") {
    const SmallRun runs;
    const std::string message = message_of<Diverged>([&] {
        runs.run("a", {R"(optimizer={"type":"sgd","learning_rate":500,"weight_decay":0.01})", "schedule=constant",
                       "train.accumulate=3", "train.average=0.9", "train.clip_value=0.5", "train.evaluate_every=1000",
                       sizeof(real) == 4 ? "train.steps=200" : "train.steps=1000"});
    });
    CAPTURE(message);
    const BundleFile file(runs / "a/bundle.safetensors");
    REQUIRE(file.bundle().batches.size() == 3);
    const RunFolder folder(runs / "a");
    const Experiment e = folder.experiment();
    const auto task = task_table().build(e.data, TaskSetup{.seed = 3, .saved = "", .load_data = true});
    const auto batches = task->batches(Split::train, training_order(e));
    int64_t rows = 0;
    for (std::size_t i = 0; i < 3; ++i) {  // exactly the ids of the step
        const Batch expected = batches->at(3 * file.bundle().steps_done + static_cast<int64_t>(i));
        CHECK(file.bundle().batches[i].source.values == expected.source.values);
        CHECK(file.bundle().batches[i].target.values == expected.target.values);
        CHECK(file.bundle().batches[i].examples == expected.examples);
        rows += expected.rows();
    }
    for (const int threads : {1, 2}) {
        const Replayed replayed = replay(file, threads);
        CHECK(replayed.verdict == Verdict::reproduced);
        CHECK(message.starts_with(replayed.now.message + "; bundle: "));
        CHECK(replayed.batch_rows == rows);
        CHECK(replayed.rows.size() == static_cast<std::size_t>(rows));
    }
}

TEST_CASE("what the library ships does not fail on these") {
    const SmallRun runs;
    // a fully masked row, an empty length: the shipped model, an empty source among others
    Experiment e = runs.request("none").experiment;
    ModelInStore made = make_model(e, ModelSetup{vocabulary, vocabulary});
    const auto objective = objective_table().build(e.objective);
    const auto optimizer = optimizer_table().build(e.optimizer, *made.store);
    const auto schedule = schedule_table().build(e.schedule, 0.01, 100);
    Workers workers(2);
    TrainingStep step({*made.model, *made.store, *objective, *optimizer, *schedule, workers}, {.shards = 2, .seed = 3});
    for (const Fault fault : {Fault::masked_row, Fault::poisoned_batch}) CHECK(step.run(0, batch_of(fault)).gradient_norm > 0);
    Batch outside = batch_of(Fault::none);
    outside.source.at(1, 1) = vocabulary;  // a poisoned batch of ids is refused
    CHECK(contains(message_of([&] { step.run(1, outside); }), "embedding"));

    // exp of large scores, the logarithm of weights that are 0, a mean over nothing
    const trace::Checked checked;
    const Tensor scores = Tensor::of({2, 3}, {1e30f, -1e30f, 3e30f, 0, 0, 0});
    const Ranges ranges{{0, 3}, {0, 0}};
    for (int op = 0; op < 3; ++op) {
        CAPTURE(op);
        const Tensor x = watch(scores);
        const Tensor y = op == 0 ? softmax(x, ranges) : op == 1 ? log_softmax(x, ranges) : sparsemax(x, ranges);
        Gradients gradients;
        backward(sum(y), gradients);
        for (const real v : y.values()) CHECK(std::isfinite(v));
        CHECK(y.values()[4] == 0);
    }
    CHECK_THROWS_AS(mean(Tensor::zeros({2, 0}), 1), Error);
    const CrossEntropyResult r = cross_entropy(watch(Tensor::of({1, 2}, {0, 1e30f})), std::vector<int32_t>{0}, {});
    CHECK(std::isfinite(r.loss.item()));
}

TEST_SUITE_END();

}  // namespace planted_faults_test
