// JSON nested without end, wherever the program reads JSON: an error that names file, depth and
// limit, and no crash.
#include <doctest/doctest.h>

#include <fstream>

#include "core/safetensors.h"
#include "tests/train/commands.h"
#include "tests/train/published_support.h"

namespace nested_json_test {

TEST_SUITE_BEGIN("train: nested json");

using namespace attend;
using attend::testing::attend_command;
using attend::testing::contains;
using attend::testing::Outcome;
using attend::testing::PublishedGpt;
using attend::testing::SmallRun;
namespace fs = std::filesystem;

namespace {

// 88,000 levels: what ended the process.
std::string nested(const std::string& open, const std::string& close) {
    constexpr int levels = 88'000;
    std::string text;
    for (int i = 0; i < levels; ++i) text += open;
    text += "1";
    for (int i = 0; i < levels; ++i) text += close;
    return text;
}
std::string lists() { return nested("[", "]"); }
std::string objects() { return nested("{\"a\":", "}"); }
// An object that is what it must be and holds one nested member.
std::string beside(const std::string& members) { return "{" + members + ", \"deep\": " + lists() + "}"; }

void write(const fs::path& path, const std::string& text) { std::ofstream(path, std::ios::binary) << text; }

constexpr const char* rule = "nested too deeply: depth 65, limit 64";

}  // namespace

TEST_CASE("the files of a run") {
    const SmallRun runs;
    runs.run("a");
    const std::string run = (runs / "a").string(), config = (runs / "small.json").string();
    const auto refused = [&](const std::string& file, const std::string& text, const std::vector<std::string>& command) {
        const std::string before = runs.text("a/" + file);
        write(runs / ("a/" + file), text);
        const Outcome o = attend_command(command);
        CAPTURE(o.error.substr(0, 300));
        CHECK(o.code == 2);
        CHECK(contains(o.error, file));
        CHECK(contains(o.error, rule));
        CHECK(o.error.size() < 1000);
        write(runs / ("a/" + file), before);
    };
    for (const std::string& text : {lists(), objects(), beside("\"format\": 1, \"crc32\": \"0\"")}) {
        refused("checkpoints/last/state.json", text, {"train", config, "--out", run, "--resume"});
        refused("checkpoints/best/state.json", text, {"eval", run});
        refused("metrics.jsonl", text + "\n", {"metrics", run});
        refused("metrics.jsonl", text + "\n", {"train", config, "--out", run, "--resume", "--set", "train.steps=12"});
        refused("config.json", text, {"eval", run});
    }
    // A report leaves out what it cannot read, and says so.
    write(runs / "a/summary.json", beside("\"status\": \"finished\""));
    write(runs / "a/lab.json", objects());
    write(runs / "a/metrics.jsonl", lists() + "\n");
    write_safetensors(runs / "a/maps/step-99.safetensors", {}, {{"maps", objects()}});
    const Outcome report = attend_command({"report", run, "--out", (runs / "r.html").string()});
    CHECK(report.error == "");
    CHECK(report.code == 0);
    const std::string page = runs.text("r.html");
    for (const char* file : {"summary.json", "lab.json", "Maps of step 99"}) CHECK(contains(page, file));
    CHECK(contains(page, rule));
}

TEST_CASE("the files of a published folder") {
    PublishedGpt f;
    const std::string config = read_file(f.path / "config.json", 1 << 20);
    for (const std::string& text : {lists(), beside("\"model_type\": \"gpt2\"")}) {
        write(f.path / "config.json", text);
        CHECK(contains(f.read(), (f.path / "config.json").string() + ": " + rule));
    }
    write(f.path / "config.json", config);
    fs::rename(f.path / "model.safetensors", f.path / "a.safetensors");
    write(f.path / "model.safetensors.index.json", beside("\"weight_map\": {\"a\": \"a.safetensors\"}"));
    CHECK(contains(f.read(), std::string("model.safetensors.index.json: ") + rule));
}

TEST_CASE("the files of a tokenizer") {
    const oracles::TemporaryFolder folder;
    write(folder / "a.txt", "some text, which is long enough for windows of eight\n");
    const auto planned = [&](const std::string& type, const std::string& file) {
        write(folder / "c.json", R"({"data": {"task": "text", "path": "a.txt", "tokenizer": {"type": ")" + type +
                                     R"(", "vocabulary": ")" + (folder / file).string() +
                                     R"("}}, "model": {"type": "gpt", "layers": 1, "heads": 1, "width": 8, "context": 8}})");
        const Outcome o = attend_command({"plan", (folder / "c.json").string()});
        CHECK(o.code == 2);
        return o.error;
    };
    write(folder / "tokenizer.json", beside("\"model\": {}"));
    for (const char* type : {"bpe", "wordpiece"})
        CHECK(contains(planned(type, "tokenizer.json"), (folder / "tokenizer.json").string() + ": " + rule));
    fs::remove(folder / "tokenizer.json");
    write(folder / "vocab.txt", "[UNK]\n");
    write(folder / "vocab.json", "{\"a\": 0}");
    for (const char* beside_it : {"tokenizer_config.json", "added_tokens.json"}) {
        write(folder / beside_it, objects());
        for (const char* file : {"vocab.txt", "vocab.json"})
            CHECK(contains(planned(std::string(file) == "vocab.txt" ? "wordpiece" : "bpe", file),
                           (folder / beside_it).string() + ": " + rule));
        fs::remove(folder / beside_it);
    }
    write(folder / "vocab.json", lists());
    CHECK(contains(planned("bpe", "vocab.json"), (folder / "vocab.json").string() + ": " + rule));
}

TEST_SUITE_END();

}  // namespace nested_json_test
