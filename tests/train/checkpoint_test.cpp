// Broken checkpoints and broken runs: each with its message, and nothing is read from them.
#include "train/records/checkpoint.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "tests/train/run_support.h"
#include "train/experiment/assemble.h"
#include "train/learn/restored.h"
#include "train/records/record_reader.h"

namespace checkpoint_test {

TEST_SUITE_BEGIN("train: checkpoints");

using namespace attend;
using attend::testing::contains;
using attend::testing::message_of;
using attend::testing::SmallRun;
namespace fs = std::filesystem;

namespace {

void overwrite(const fs::path& path, const std::string& bytes) { std::ofstream(path, std::ios::binary) << bytes; }

// A model of its own, with something to count.
struct Small {
    ParameterStore store{1};
    std::unique_ptr<Optimizer> optimizer;
    const NamedState* state = nullptr;
    explicit Small(const Shape& shape = {2, 3}, const char* name = "b", const char* algorithm = "adam") {
        Scope scope(store);
        scope.add("a", {4}, Init::normal(1));
        scope.add(name, shape, Init::normal(1));
        state = &scope.add_state("baseline", {2}, 0.5, 0.9);
        optimizer = optimizer_table().build(Selection(optimizer_table(), algorithm), store);
    }
};

}  // namespace

TEST_CASE("what was saved is what is loaded") {
    const oracles::TemporaryFolder folder;
    Small a;
    a.optimizer->state(a.store).at(2).values[3] = real(0.25);
    a.store.state_values(*a.state)[1] = real(7);
    a.store.state_updates(*a.state) = 41;
    Progressed p;
    p.step = 12;
    p.seconds = 0.1 + 0.2;
    p.targets = 12345678901;
    p.line_sums = {1.0 / 3, 1.0 / 7};
    p.line_counts = {99, 8};
    p.valid = ScoredStep{10, {{{"loss", 0.1}, {"accuracy", std::numeric_limits<double>::quiet_NaN()}}}};
    p.evaluations_since_best = 2;
    save_checkpoint(folder / "c", {a.store, *a.optimizer}, p);

    Small b;
    for (int64_t i = 0; i < b.store.size(); ++i) b.store.data()[i] = 0;
    const Progressed q = load_checkpoint(folder / "c", {b.store, *b.optimizer});
    CHECK(std::vector<real>(a.store.data(), a.store.data() + a.store.size()) ==
          std::vector<real>(b.store.data(), b.store.data() + b.store.size()));
    CHECK(b.optimizer->state(b.store).at(2).values[3] == real(0.25));
    CHECK(b.store.state_values(*b.state)[1] == real(7));
    CHECK(b.store.state_updates(*b.state) == 41);
    CHECK(q.step == 12);
    CHECK(q.seconds == p.seconds);
    CHECK(q.targets == p.targets);
    CHECK(q.line_sums.targets == p.line_sums.targets);
    CHECK(q.line_sums.labels == p.line_sums.labels);
    CHECK(q.line_counts.targets == 99);
    CHECK(q.line_counts.labels == 8);
    REQUIRE(q.valid.has_value());
    CHECK(q.valid->step == 10);
    CHECK(q.valid->scores.find("loss") == 0.1);
    CHECK(std::isnan(*q.valid->scores.find("accuracy")));
    CHECK(!q.best.has_value());
    CHECK(q.evaluations_since_best == 2);
    // nothing of time, threads or paths: the same parameters give the same bytes
    p.seconds = 77;
    save_checkpoint(folder / "d", {b.store, *b.optimizer}, p);
    CHECK(read_file(folder / "c/model.safetensors", 1 << 20) == read_file(folder / "d/model.safetensors", 1 << 20));
}

TEST_CASE("a checkpoint of before there were labels, or a count of targets, is read") {
    const oracles::TemporaryFolder folder;
    Small a;
    Progressed p;
    p.line_sums = {0.5, 0.25};
    p.line_counts = {3, 2};
    save_checkpoint(folder / "c", {a.store, *a.optimizer}, p);
    Json state = Json::parse(read_file(folder / "c/state.json", 1 << 20));
    state.erase("crc32");
    state["line"].erase("labels");
    state["line"].erase("label_loss");
    state.erase("targets");
    state["crc32"] = checksum(state);
    write_file_atomically(folder / "c/state.json", state.dump(1) + "\n");
    const Progressed q = load_checkpoint(folder / "c", {a.store, *a.optimizer});
    CHECK(q.line_sums.targets == 0.5);
    CHECK(q.line_counts.targets == 3);
    CHECK(q.line_sums.labels == 0);
    CHECK(q.line_counts.labels == 0);
    CHECK(std::isnan(q.targets));
}

TEST_CASE("a value that is not finite is not saved, and the checkpoint before stays") {
    const oracles::TemporaryFolder folder;
    Small a;
    save_checkpoint(folder / "c", {a.store, *a.optimizer}, {});
    const std::string before = read_file(folder / "c/model.safetensors", 1 << 20);
    a.store.values(*a.store.find("b"))[4] = std::numeric_limits<real>::infinity();
    CHECK(message_of<Diverged>([&] {
              save_checkpoint(folder / "c", {a.store, *a.optimizer}, {});
          }) == "step 0: checkpoint: a parameter is not finite and is not saved: 'b' [2, 3], element 4 is inf");
    a.store.values(*a.store.find("b"))[4] = 0;
    a.optimizer->state(a.store).at(0).values[0] = std::nanf("");
    CHECK(contains(message_of<Diverged>([&] {
                       save_checkpoint(folder / "c", {a.store, *a.optimizer}, {});
                   }),
                   "an optimiser's value is not finite and is not saved: 'm.a' [4], element 0 is nan"));
    CHECK(read_file(folder / "c/model.safetensors", 1 << 20) == before);
}

TEST_CASE("every byte of every file counts") {
    const oracles::TemporaryFolder folder;
    Small a;
    Progressed p;
    p.step = 12;
    p.valid = ScoredStep{10, {{{"loss", 0.125}}}};
    save_checkpoint(folder / "c", {a.store, *a.optimizer}, p);
    const std::vector<real> good(a.store.data(), a.store.data() + a.store.size());
    for (const char* name : {"model.safetensors", "optimizer.safetensors", "state.json"}) {
        CAPTURE(name);
        const fs::path path = folder / (std::string("c/") + name);
        const std::string bytes = read_file(path, 1 << 20);
        const bool json = path.extension() == ".json";
        for (std::size_t i = 0; i < bytes.size(); i += json ? 1 : 7) {
            std::string flipped = bytes;
            flipped[i] = static_cast<char>(flipped[i] ^ (1 << (i % 7)));
            if (json && (std::isspace(bytes[i]) || std::isspace(flipped[i])))
                continue;  // white space between values says nothing
            overwrite(path, flipped);
            CAPTURE(i);
            const std::string message = message_of([&] { load_checkpoint(folder / "c", {a.store, *a.optimizer}); });
            CHECK(contains(message, "c/"));
        }
        for (std::size_t size : {std::size_t{0}, std::size_t{1}, bytes.size() / 2, bytes.size() - (json ? 2 : 1)}) {
            overwrite(path, bytes.substr(0, size));
            CAPTURE(size);
            CHECK(contains(message_of([&] { load_checkpoint(folder / "c", {a.store, *a.optimizer}); }), name));
        }
        fs::remove(path);
        CHECK(contains(message_of([&] { load_checkpoint(folder / "c", {a.store, *a.optimizer}); }), name));
        overwrite(path, bytes);
    }
    CHECK(load_checkpoint(folder / "c", {a.store, *a.optimizer}).step == 12);
    CHECK(std::vector<real>(a.store.data(), a.store.data() + a.store.size()) == good);
}

TEST_CASE("messages of broken files name both numbers") {
    const oracles::TemporaryFolder folder;
    Small a;
    save_checkpoint(folder / "c", {a.store, *a.optimizer}, {});
    const auto message = [&] { return message_of([&] { load_checkpoint(folder / "c", {a.store, *a.optimizer}); }); };
    const std::string where = (folder / "c").string();
    const std::string bytes = read_file(folder / "c/model.safetensors", 1 << 20);
    overwrite(folder / "c/model.safetensors", bytes.substr(0, bytes.size() - 4));
    CHECK(message() ==
          where + fmt::format("/model.safetensors: broken: size {} bytes, state.json says {}", bytes.size() - 4, bytes.size()));
    std::string flipped = bytes;
    flipped.back() = static_cast<char>(flipped.back() ^ 1);
    overwrite(folder / "c/model.safetensors", flipped);
    CHECK(contains(message(), "/model.safetensors: broken: CRC-32 "));
    overwrite(folder / "c/model.safetensors", bytes);
    const std::string state = read_file(folder / "c/state.json", 1 << 20);
    overwrite(folder / "c/state.json", "{\"format\": 2}");
    CHECK(message() == where + "/state.json: another format: file 2, this program 1");
    overwrite(folder / "c/state.json", "[1]");
    CHECK(message() == where + "/state.json: expected a JSON object, got a JSON array");
    overwrite(folder / "c/state.json", std::string(100000, '['));
    CHECK(contains(message(), "nested too deeply: depth 65, limit 64, line 1, byte 65 of 100000"));
    overwrite(folder / "c/state.json", state);
    CHECK(message().empty());
    CHECK(message_of([&] { load_model(folder / "none", a.store); }) ==
          (folder / "none").string() + ": no checkpoint: not a folder");
}

TEST_CASE("a checkpoint of another model or optimizer: all that does not fit is named") {
    const oracles::TemporaryFolder folder;
    Small a;
    save_checkpoint(folder / "c", {a.store, *a.optimizer}, {});
    const std::string where = (folder / "c").string();
    Small shape({3, 3});
    CHECK(message_of([&] { load_model(folder / "c", shape.store); }) ==
          where +
              ": 1 parameter of the wrong shape (b: file [2, 3], here [3, 3]); model.safetensors holds 3 tensors, 3 expected; "
              "the checkpoint is of another model");
    Small name({2, 3}, "c");
    CHECK(message_of([&] { load_model(folder / "c", name.store); }) ==
          where +
              ": 1 parameter missing (c), 1 unknown to this model (b); model.safetensors holds 3 tensors, 3 expected; the "
              "checkpoint is of another model");
    Small other({2, 3}, "b", "adadelta");
    const std::string message = message_of([&] { load_checkpoint(folder / "c", {other.store, *other.optimizer}); });
    CAPTURE(message);
    CHECK(contains(message, "optimizer.safetensors holds 4 tensors, 4 expected; the checkpoint is of another optimizer"));
    CHECK(contains(message, "missing (square_average.a"));
}

TEST_CASE("broken runs") {
    const SmallRun runs;
    runs.run("a", {"train.steps=8"});
    const auto resume = [&](const std::vector<std::string>& set = {"train.steps=8"}) {
        TrainRequest request = runs.request("a", set);
        request.existing = Existing::resume;
        return message_of([&] { train(request); });
    };
    const std::string where = (runs / "a").string();
    CHECK(resume().empty());

    const std::string metrics = runs.text("a/metrics.jsonl");
    overwrite(runs / "a/metrics.jsonl", "{\"step\":1,\"split\":\"train\"}\nnonsense\n");
    CHECK(resume() ==
          where + "/metrics.jsonl:2: not JSON: 8 bytes, line 1, column 2: syntax error while parsing value - invalid literal");
    overwrite(runs / "a/metrics.jsonl", "{\"step\":1,\"split\":\"train\"}\n[1]\n");
    CHECK(resume() == where + "/metrics.jsonl:2: expected a JSON object, got a JSON array");
    overwrite(runs / "a/metrics.jsonl", metrics);

    const std::string config = runs.text("a/config.json");
    overwrite(runs / "a/config.json", config.substr(0, config.size() / 2));
    CHECK(contains(resume(), where + "/config.json:"));
    overwrite(runs / "a/config.json", config);

    CHECK(contains(message_of([&] { restore((runs / "none").string(), Data::splits); }), "no such run: nothing of that name"));
    CHECK(contains(message_of([&] { restore((runs / "small.json").string(), Data::splits); }), "a run is a folder"));
    fs::create_directory(runs / "empty");
    CHECK(contains(message_of([&] { restore((runs / "empty").string(), Data::splits); }), "config.json is missing"));
    for (const char* path : {"a", "a/", "a/checkpoints/best", "a/checkpoints/last/", "a/checkpoints/step-8"}) {
        CAPTURE(path);
        CHECK(restore((runs / path).string(), Data::vocabularies).step > 0);
    }
    fs::create_directory(runs / "moved");
    fs::copy(runs / "a/checkpoints/step-8", runs / "moved/c", fs::copy_options::recursive);
    CHECK(contains(message_of([&] { restore((runs / "moved/c").string(), Data::vocabularies); }),
                   "a checkpoint outside of its run: config.json is missing"));
    fs::remove_all(runs / "a/checkpoints");
    CHECK(contains(message_of([&] { restore((runs / "a").string(), Data::vocabularies); }), "the run has no checkpoint yet"));
}

TEST_SUITE_END();

}  // namespace checkpoint_test
