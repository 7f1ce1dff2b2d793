// Folders in the layout that GPT-2 was published in: what export writes, init.from reads, bit for
// bit.
#include "train/exchange/published.h"

#include <doctest/doctest.h>

#include <cstring>
#include <fstream>
#include <map>

#include "tests/train/commands.h"
#include "tests/train/published_support.h"

namespace published_test {

TEST_SUITE_BEGIN("train: published");

using namespace attend;
using attend::testing::attend_command;
using attend::testing::contains;
using attend::testing::message_of;
using attend::testing::Outcome;
using attend::testing::PublishedGpt;
using attend::testing::small_gpt;
namespace fs = std::filesystem;

TEST_CASE("what is written has GPT-2's names, shapes and orientations, and is read back bit for bit") {
    PublishedGpt f;
    const SafetensorsFile file(f.path / "model.safetensors");
    CHECK(file.tensors().size() == 2 + 2 * 12 + 2);
    CHECK(file.info("transformer.wte.weight").shape == Shape({9, 6}));
    CHECK(file.info("transformer.wpe.weight").shape == Shape({5, 6}));
    CHECK(file.info("transformer.h.1.attn.c_attn.weight").shape == Shape({6, 18}));
    CHECK(file.info("transformer.h.1.attn.c_attn.bias").shape == Shape({18}));
    CHECK(file.info("transformer.h.0.mlp.c_fc.weight").shape == Shape({6, 24}));
    CHECK(file.info("transformer.h.0.mlp.c_proj.weight").shape == Shape({24, 6}));
    CHECK(file.info("transformer.ln_f.bias").shape == Shape({6}));
    const Json config = Json::parse(read_file(f.path / "config.json", 1 << 20));
    CHECK(config["model_type"] == "gpt2");
    CHECK(config["architectures"][0] == "GPT2LMHeadModel");
    CHECK(config["n_layer"] == 2);
    CHECK(config["n_positions"] == 5);
    CHECK(config["vocab_size"] == 9);
    CHECK(config["activation_function"] == "gelu");
    CHECK(config["tie_word_embeddings"] == true);
    CHECK(is_published(f.path));
    CHECK(f.read() == "");
}

TEST_CASE("names without the prefix, masks and the head a second time are read past") {
    PublishedGpt f;
    static const real mask[1] = {1};
    f.rewrite([&](auto& arrays) {
        std::map<std::string, NamedArray> bare;
        for (auto& [name, array] : arrays) bare[name.substr(std::strlen("transformer."))] = array;
        bare["h.0.attn.bias"] = {"", {1, 1, 1, 1}, mask};
        bare["h.1.attn.masked_bias"] = {"", {}, mask};
        bare["lm_head.weight"] = bare["wte.weight"];
        arrays = bare;
    });
    CHECK(f.read() == "");
}

TEST_CASE("a file with missing, extra and misshaped tensors names all of them") {
    PublishedGpt f;
    static const real few[6] = {};
    f.rewrite([&](auto& arrays) {
        arrays.erase("transformer.h.0.ln_1.weight");
        arrays.erase("transformer.h.1.mlp.c_fc.bias");
        arrays["transformer.h.2.ln_1.weight"] = {"", {6}, few};
        arrays["transformer.ln_f.weight"] = {"", {2, 3}, few};
    });
    const std::string said = f.read();
    CHECK(contains(said, "2 parameters missing (transformer.h.0.ln_1.weight, transformer.h.1.mlp.c_fc.bias)"));
    CHECK(contains(said, "1 of the wrong shape (transformer.ln_f.weight: file [2, 3], here [6])"));
    CHECK(contains(said, "1 unknown to this model (transformer.h.2.ln_1.weight)"));
}

TEST_CASE("another model than the config's is refused, each entry with both values") {
    PublishedGpt f;
    GptOptions other = small_gpt();
    other.blocks.layers = 3;
    other.blocks.activation = "gelu_tanh";
    const std::string said = f.read(other, 10);
    CHECK(contains(said, "vocab_size 9, here 10; n_layer 2, here 3; activation_function \"gelu\", here \"gelu_new\""));
    for (const char* text : {"[1]", "{", ""}) {
        std::ofstream(f.path / "config.json") << text;
        CHECK(contains(f.read(), *text == '[' ? "config.json: not a JSON object: found array" : "config.json: not JSON"));
    }
}

TEST_CASE(
    "a published config that asks for another function is refused, and one that leaves something unsaid means its default") {
    PublishedGpt f;
    const Json whole = Json::parse(read_file(f.path / "config.json", 1 << 20));
    const auto said_of = [&](const std::function<void(Json&)>& change) {
        Json config = whole;
        change(config);
        std::ofstream(f.path / "config.json") << config.dump();
        return f.read();
    };
    CHECK(contains(said_of([](Json& c) { c["scale_attn_by_inverse_layer_idx"] = true; }),
                   "scale_attn_by_inverse_layer_idx true, here false"));
    CHECK(contains(said_of([](Json& c) { c["scale_attn_weights"] = false; }), "scale_attn_weights false, here true"));
    CHECK(contains(said_of([](Json& c) { c["tie_word_embeddings"] = false; }), "tie_word_embeddings false, here true"));
    CHECK(contains(said_of([](Json& c) { c.erase("n_head"); }), "n_head 12 (by default), here 2"));
    CHECK(contains(said_of([](Json& c) { c["activation_function"] = nullptr; }),
                   "activation_function \"gelu_new\" (by default), here \"gelu\""));
    CHECK(said_of([](Json& c) { c.erase("tie_word_embeddings"); }) == "");
    CHECK(said_of([](Json& c) { c.erase("n_inner"); }) == "");  // shapes show it
    std::ofstream(f.path / "config.json") << whole.dump();
    GptOptions tanh = small_gpt();
    tanh.blocks.activation = "gelu_tanh";
    const std::string said = f.read(tanh);
    CHECK(contains(said, "activation_function \"gelu\", here \"gelu_new\""));
    Json same = whole;
    same["activation_function"] = "gelu_pytorch_tanh";
    std::ofstream(f.path / "config.json") << same.dump();
    CHECK(f.read(tanh) == "");
}

TEST_CASE("what the layout has no place for is said, and nothing is overwritten") {
    const auto message = [](auto change) {
        GptOptions o = small_gpt();
        change(o);
        ParameterStore store(1);
        const Gpt model(o, Scope(store), {0, 9});
        return message_of([&] { (void)model.published_layout(); });
    };
    CHECK(message([](GptOptions&) {}) == "");
    CHECK(message([](GptOptions& o) { o.blocks.bias = false; }) ==
          "model gpt: the layout of GPT-2 has no place for this model: model.bias false, there true");
    CHECK(contains(message([](GptOptions& o) { o.positions.choose("sinusoidal"); }),
                   "model.positions sinusoidal, there learned"));
    CHECK(contains(message([](GptOptions& o) { o.positions.as<RandomisedOptions>().randomised = 99; }),
                   "model.positions learned {randomised 99}, there learned"));
    CHECK(contains(message([](GptOptions& o) { o.blocks.norm_place = "post"; }), "model.norm_place post, there pre"));
    CHECK(contains(message([](GptOptions& o) { o.blocks.key_heads = 1; }), "model.key_heads 1, there 2"));
    CHECK(contains(message([](GptOptions& o) { choose_factor(o.attention, &AttentionOptions::bias, "alibi"); }),
                   "model.attention.bias alibi, there none"));
    const auto changed = [&](auto change) {
        return message([&](GptOptions& o) {
            o.blocks.heads = 1;  // of an even size
            Selection all = o.attention.first();
            change(factors_of(all));
            o.attention = Pattern(all);
        });
    };
    CHECK(contains(changed([](AttentionOptions& a) { a.gate = "headwise"; }), "model.attention.gate headwise, there none"));
    CHECK(contains(changed([](AttentionOptions& a) { a.talking = true; }), "model.attention.talking true, there false"));
    CHECK(contains(changed([](AttentionOptions& a) { a.differential = true; }),
                   "model.attention.differential true, there false"));
    PublishedGpt f;
    CHECK(contains(message_of([&] { write_published(f.path, f.model.published_layout(), f.store); }),
                   "config.json: there is one already"));
}

TEST_CASE("the command exports a run, and a run begins with the folder") {
    const oracles::TemporaryFolder folder;
    std::ofstream text(folder / "a.txt");
    for (int i = 0; i < 100; ++i) text << "abcdef\n";
    text.close();
    std::ofstream(folder / "c.json") << R"({"data": {"task": "text", "path": "a.txt"},
        "model": {"type": "gpt", "layers": 1, "heads": 2, "width": 8, "context": 16}, "train": {"steps": 3, "batch": 4, "shards": 1}})";
    const std::string config = (folder / "c.json").string(), run = (folder / "run").string(), to = (folder / "hf").string();
    REQUIRE(attend_command({"train", config, "--out", run}).code == 0);
    const Outcome exported = attend_command({"export", run, to});
    CHECK(exported.code == 0);
    CHECK(contains(exported.out, "GPT2LMHeadModel with 16 tensors, step 3"));
    CHECK(contains(exported.out, "tokenizer: of a kind that was not published"));
    CHECK(attend_command({"export", run, to}).code == 2);
    // What is frozen shows what the run began with.
    REQUIRE(attend_command({"train", config, "--out", run + "2", "--set", "init.from=" + to, "--set", "train.steps=1", "--set",
                            "init.freeze=embedding.*, decoder.0.*"})
                .code == 0);
    const SafetensorsFile a(fs::path(run) / "checkpoints/best/model.safetensors"),
        b(fs::path(run + "2") / "checkpoints/last/model.safetensors");
    int compared = 0;
    for (const TensorInfo& t : a.tensors())
        if (t.name.starts_with("embedding.") || t.name.starts_with("decoder.0.")) {
            CHECK(a.read(t.name).values() == b.read(t.name).values());
            ++compared;
        }
    CHECK(compared == 13);
    const testing::SmallRun runs;
    runs.run("pairs");
    const Outcome none = attend_command({"export", (runs / "pairs").string(), to + "2"});
    CHECK(none.code == 2);
    CHECK(contains(none.error, "there is no published layout for this kind"));
}

TEST_CASE("the tokenizer is exported with the model, and a run begins with both") {
    const oracles::TemporaryFolder folder;
    std::ofstream text(folder / "a.txt");
    for (int i = 0; i < 100; ++i) text << "lower and lower, newer and newer\n";
    text.close();
    std::ofstream(folder / "c.json")
        << R"({"data": {"task": "text", "path": "a.txt", "tokenizer": {"type": "bpe", "merges": 9}},
        "model": {"type": "gpt", "layers": 1, "heads": 2, "width": 8, "context": 16}, "train": {"steps": 2, "batch": 4, "shards": 1}})";
    const std::string config = (folder / "c.json").string(), run = (folder / "run").string();
    const fs::path to = folder / "hf";
    REQUIRE(attend_command({"train", config, "--out", run}).code == 0);
    CHECK(
        contains(attend_command({"export", run, to.string()}).out, "tokenizer: vocab.json, merges.txt, tokenizer_config.json"));
    // As a folder that others made: without our file. Another number of merges would be another
    // vocabulary.
    REQUIRE(fs::remove(to / "tokenizer.txt"));
    const Outcome again = attend_command({"train", config, "--out", run + "2", "--set", "init.from=" + to.string(), "--set",
                                          "data.tokenizer.merges=3", "--set", "train.steps=1"});
    CHECK(again.code == 0);
    CHECK(again.error == "");
    const Outcome own = attend_command({"train", config, "--out", run + "3", "--set", "init.from=" + to.string(), "--set",
                                        "data.tokenizer.merges=3", "--set", "init.vocabulary=own"});
    CHECK(own.code == 2);
    CHECK(contains(own.error, "vocab_size 265, here 259"));
    // A folder in which somebody keeps a tokenizer is not written over.
    const fs::path other = folder / "other";
    fs::create_directory(other);
    std::ofstream(other / "merges.txt") << "mine";
    const Outcome refused = attend_command({"export", run, other.string()});
    CHECK(refused.code == 2);
    CHECK(contains(refused.error, "merges.txt: there is one already"));
    CHECK_FALSE(fs::exists(other / "config.json"));
}

TEST_SUITE_END();

}  // namespace published_test
