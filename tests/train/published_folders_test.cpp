// Folders as other people publish them: what can be read is, and what cannot is said by name.
#include <doctest/doctest.h>

#include <fstream>

#include "nn/models/bert.h"
#include "tests/train/commands.h"
#include "tests/train/published_support.h"
#include "train/exchange/published_weights.h"

namespace published_folders_test {

TEST_SUITE_BEGIN("train: published folders");

using namespace attend;
using attend::testing::attend_command;
using attend::testing::contains;
using attend::testing::message_of;
using attend::testing::Outcome;
using attend::testing::PublishedGpt;
using attend::testing::small_gpt;
namespace fs = std::filesystem;

namespace {

void write(const fs::path& path, const std::string& text) { std::ofstream(path, std::ios::binary) << text; }

Json config_of(const fs::path& folder) { return Json::parse(read_file(folder / "config.json", 1 << 20)); }

std::string bytes_of(const fs::path& path) { return read_file(path, std::size_t{1} << 26); }

}  // namespace

TEST_CASE("an output layer that is not the embedding is refused, or read where the model has one") {
    PublishedGpt f;
    std::vector<real> head(9 * 6);
    for (std::size_t i = 0; i < head.size(); ++i) head[i] = static_cast<real>(i) / 8;
    f.rewrite([&](auto& arrays) { arrays["lm_head.weight"] = {"", {9, 6}, head.data()}; });
    const std::string said = f.read();
    CHECK(contains(said,
                   "this model has one array where two different ones are there: 'transformer.wte.weight' [9, 6] and "
                   "'lm_head.weight' [9, 6], element 0 is "));
    CHECK(contains(said, "a kind that has model.tie reads both"));

    GptOptions untied = small_gpt();
    untied.tie = false;
    ParameterStore store(3);
    const Gpt model(untied, Scope(store), {0, 9});
    const auto read = [&] { return message_of([&] { read_published(f.path, model.published_layout(), store, {}); }); };
    CHECK(contains(read(), "tie_word_embeddings true, here false"));
    Json config = config_of(f.path);
    config["tie_word_embeddings"] = false;
    write(f.path / "config.json", config.dump());
    REQUIRE(read() == "");
    const real* ours = store.values(*store.find("head.weight"));  // [in, out] here, [out, in] there
    for (int64_t id = 0; id < 9; ++id)
        for (int64_t k = 0; k < 6; ++k) CHECK(ours[k * 9 + id] == head[static_cast<std::size_t>(id * 6 + k)]);
    // written again, the same bytes
    write_published(f.folder / "again", model.published_layout(), store);
    CHECK(config_of(f.folder / "again")["tie_word_embeddings"] == false);
    ParameterStore other(4);
    const Gpt second(untied, Scope(other), {0, 9});
    read_published(f.folder / "again", second.published_layout(), other, {});
    write_published(f.folder / "third", second.published_layout(), other);
    CHECK(bytes_of(f.folder / "third/model.safetensors") == bytes_of(f.folder / "again/model.safetensors"));
}

TEST_CASE("an output layer saved in place of the embedding that it is") {
    PublishedGpt f;
    f.rewrite([](auto& arrays) {
        arrays["lm_head.weight"] = arrays["transformer.wte.weight"];
        arrays.erase("transformer.wte.weight");
    });
    CHECK(f.read() == "");
    CHECK(f.notes == std::vector<std::string>{"transformer.wte.weight is read from lm_head.weight"});
    f.rewrite([](auto& arrays) { arrays.erase("lm_head.weight"); });
    CHECK(contains(f.read(), "1 parameter missing (transformer.wte.weight)"));
}

TEST_CASE("bert: a decoder unlike the embedding and a bias unlike the head's are refused, those that are the same are read") {
    const oracles::TemporaryFolder folder;
    const fs::path path = folder / "bert";
    BertOptions o;
    o.blocks.layers = 1;
    o.blocks.heads = 2;
    o.blocks.width = 6;
    o.context = 5;
    const ModelSetup masked = {0, 9, TargetKind::masked, 0}, labelled = {0, 9, TargetKind::none, 3};
    ParameterStore store(7);
    const Bert model(o, Scope(store), masked);
    for (int64_t i = 0; i < 9; ++i) store.values(*store.find("masked.bias"))[i] = static_cast<real>(i);
    write_published(path, model.published_layout(), store);
    const auto rewrite = [&](const std::function<void(std::map<std::string, std::pair<Shape, std::vector<real>>>&)>& change) {
        std::map<std::string, std::pair<Shape, std::vector<real>>> all;
        {
            const SafetensorsFile file(path / "model.safetensors");
            for (const TensorInfo& t : file.tensors()) {
                const Tensor values = file.read(t.name);
                all[t.name] = {t.shape, {values.data(), values.data() + t.shape.size()}};
            }
        }
        change(all);
        std::vector<NamedArray> arrays;
        for (const auto& [name, array] : all) arrays.push_back({name, array.first, array.second.data()});
        write_safetensors(path / "model.safetensors", arrays);
    };
    const auto read = [&](const ModelSetup& into, const std::string& take = "*") {
        ParameterStore other(8);
        const Bert reader(o, Scope(other), into);
        const std::string said = message_of([&] {
            read_published(path, reader.published_layout(), other,
                           [&](const std::string& name) { return take == "*" || name.starts_with(take); });
        });
        if (said.empty() && into.targets == TargetKind::masked)
            CHECK(other.values(*other.find("masked.bias"))[8] == 8);
        return said;
    };
    const std::string words = "bert.embeddings.word_embeddings.weight", decoder = "cls.predictions.decoder.";
    rewrite([&](auto& all) {
        all[decoder + "weight"] = all[words];
        all[decoder + "bias"] = all["cls.predictions.bias"];
    });
    CHECK(read(masked) == "");
    rewrite([&](auto& all) { all[decoder + "bias"].second[4] = 5; });
    CHECK(contains(read(masked), "'cls.predictions.bias' [9] and 'cls.predictions.decoder.bias' [9], element 4 is 4 and 5"));
    CHECK(read(labelled, "en") == "");  // a model without that head does not look at it
    rewrite([&](auto& all) {
        all.erase("cls.predictions.bias");
        all[decoder + "bias"].second[4] = 4;
    });
    CHECK(read(masked) == "");
    rewrite([&](auto& all) { all[decoder + "weight"].second[3] += 1; });
    CHECK(contains(read(masked), "'" + words + "' [9, 6] and 'cls.predictions.decoder.weight' [9, 6], element 3 is "));
}

TEST_CASE(
    "a vocabulary that was padded: ids beyond the tokenizer's are left out where it is known that they stand for nothing") {
    PublishedGpt f;
    ParameterStore store(8);
    const Gpt smaller(small_gpt(), Scope(store), {0, 7});
    const auto read = [&](MoreIds more) {
        PublishedRead result;
        const std::string said =
            message_of([&] { result = read_published(f.path, smaller.published_layout(), store, {}, more); });
        return said.empty() ? result.notes.at(0) : said;
    };
    CHECK(contains(read(MoreIds::refused), "vocab_size 9, here 7"));
    CHECK(read(MoreIds::left_out) == "7 of its 9 ids are read: the others stand for no token of its tokenizer");
    const real *ours = store.values(*store.find("embedding.weight")),
               *theirs = f.store.values(*f.store.find("embedding.weight"));
    for (int64_t i = 0; i < 7 * 6; ++i) CHECK(ours[i] == theirs[i]);
    ParameterStore more(8);
    const Gpt larger(small_gpt(), Scope(more), {0, 10});
    CHECK(contains(message_of([&] { read_published(f.path, larger.published_layout(), more, {}, MoreIds::left_out); }),
                   "vocab_size 9, here 10"));
}

TEST_CASE("shards, with an index and without one") {
    PublishedGpt f;
    f.cut({"model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"});
    CHECK(is_published(f.path));
    CHECK(f.read() == "");
    fs::rename(f.path / "model-00002-of-00002.safetensors", f.path / "kept");
    CHECK(contains(f.read(), "gpt2: shards are missing: 1 of 2: model-00002-of-00002.safetensors"));
    fs::rename(f.path / "kept", f.path / "model-00002-of-00002.safetensors");
    write(f.path / "model-00001-of-00003.safetensors", "");
    CHECK(contains(f.read(), "gpt2: shards of two models: "));
    fs::remove(f.path / "model-00001-of-00003.safetensors");

    const fs::path index = f.path / "model.safetensors.index.json";
    Json map = Json::object();
    for (const char* name : {"model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"}) {
        const SafetensorsFile shard(f.path / name);
        for (const TensorInfo& t : shard.tensors()) map[t.name] = name;
    }
    const auto said_of = [&](const Json& weight_map) {
        write(index, Json{{"metadata", {{"total_size", 1}}}, {"weight_map", weight_map}}.dump());
        return f.read();
    };
    CHECK(said_of(map) == "");
    Json broken = map;
    broken["transformer.wte.weight"] = "model-00007-of-00002.safetensors";
    broken["transformer.wpe.weight"] = "model-00009-of-00002.safetensors";
    CHECK(contains(said_of(broken),
                   "index.json: shards are missing: 2 of 4: model-00007-of-00002.safetensors, "
                   "model-00009-of-00002.safetensors"));
    broken = map;
    broken["transformer.wte.weight"] = "../model.safetensors";
    CHECK(contains(said_of(broken), "a shard stands in the folder itself: tensor 'transformer.wte.weight', file '../model"));
    broken["transformer.wte.weight"] = 7;
    CHECK(contains(said_of(broken), "a file's name is a text: tensor 'transformer.wte.weight', found a JSON number"));
    broken = map;
    broken["transformer.none"] = "model-00001-of-00002.safetensors";
    CHECK(contains(said_of(broken), "a tensor is not where the index says: 'transformer.none' in model-00001-of-00002"));
    CHECK(contains(said_of(Json()), "\"weight_map\", an object of tensors and files, is needed"));
    fs::copy_file(f.path / "model-00001-of-00002.safetensors", f.path / "more.safetensors");
    broken = map;
    broken[map.begin().key()] = "more.safetensors";
    CHECK(contains(said_of(broken), "two files hold one tensor: "));
}

TEST_CASE("weights in a form that is not read are named, with what makes it one that is") {
    PublishedGpt f;
    fs::rename(f.path / "model.safetensors", f.path / "pytorch_model.bin");
    CHECK(is_published(f.path));
    const std::string said = f.read();
    CHECK(contains(said,
                   "pytorch_model.bin: weights are read from safetensors files alone; python3 -c \"import "
                   "torch, safetensors.torch as s; s.save_file({k: v.clone().contiguous() for k, v in "
                   "torch.load('pytorch_model.bin', map_location='cpu', weights_only=True).items()}, "
                   "'model.safetensors')\""));
    fs::rename(f.path / "pytorch_model.bin", f.path / "tf_model.h5");
    CHECK(contains(f.read(), "tf_model.h5: weights are read from safetensors files alone"));
    fs::remove(f.path / "tf_model.h5");
    CHECK(contains(f.read(), "gpt2: no weights in this folder: looked for model.safetensors, model.safetensors.index.json"));
}

TEST_CASE("a config that does not name its kind") {
    PublishedGpt f;
    const Json whole = config_of(f.path);
    const auto said_of = [&](const std::function<void(Json&)>& change) {
        Json config = whole;
        config.erase("model_type");
        change(config);
        write(f.path / "config.json", config.dump());
        CHECK(is_published(f.path));
        return f.read();
    };
    CHECK(said_of([](Json&) {}) == "");
    CHECK(f.notes.empty());
    CHECK(said_of([](Json& c) { c["architectures"] = {"GPT2Model"}; }) == "");
    CHECK(contains(said_of([](Json& c) { c["architectures"] = {"GPTNeoForCausalLM"}; }),
                   "another model than the config's: architectures [\"GPTNeoForCausalLM\"], here GPT2LMHeadModel"));
    CHECK(said_of([](Json& c) { c.erase("architectures"); }) == "");
    CHECK(f.notes == std::vector<std::string>{
                         "config.json does not name its kind, taken for gpt2 by the tensor 'h.0.attn.c_attn.weight'"});
    f.rewrite([](auto& arrays) { arrays.erase("transformer.h.0.attn.c_attn.weight"); });
    CHECK(contains(said_of([](Json& c) { c.erase("architectures"); }),
                   "config.json: does not name the kind of model: no entry 'model_type' or 'architectures'"));
    // BERT's and RoBERTa's tensors have the same names where the prefix is left out.
    const oracles::TemporaryFolder folder;
    BertOptions o;
    o.blocks.layers = 1;
    o.blocks.heads = 2;
    o.blocks.width = 6;
    o.context = 5;
    ParameterStore store(7);
    const Bert model(o, Scope(store), {0, 9, TargetKind::masked, 0});
    const PublishedLayout layout = model.published_layout();
    write_published(folder / "bert", layout, store);
    Json config = config_of(folder / "bert");
    config.erase("model_type");
    config.erase("architectures");
    write(folder / "bert/config.json", config.dump());
    CHECK(message_of([&] { read_published(folder / "bert", layout, store, {}); }) == "");
    std::vector<NamedArray> bare;
    std::vector<Tensor> values;
    {
        const SafetensorsFile file(folder / "bert/model.safetensors");
        for (const TensorInfo& t : file.tensors()) {
            values.push_back(file.read(t.name));
            bare.push_back({t.name.starts_with("bert.") ? t.name.substr(5) : t.name, t.shape, values.back().data()});
        }
    }
    write_safetensors(folder / "bert/model.safetensors", bare);
    CHECK(contains(message_of([&] { read_published(folder / "bert", layout, store, {}); }), "does not name the kind"));
}

TEST_CASE("a run begins with a folder of shards, a padded vocabulary and added tokens, and its log says so") {
    const oracles::TemporaryFolder folder;
    std::ofstream text(folder / "a.txt");
    for (int i = 0; i < 100; ++i) text << "lower and lower, newer and newer\n";
    text.close();
    write(folder / "c.json", R"({"data": {"task": "text", "path": "a.txt", "tokenizer": {"type": "bpe", "merges": 9}},
        "model": {"type": "gpt", "layers": 1, "heads": 2, "width": 8, "context": 16},
        "train": {"steps": 2, "batch": 4, "shards": 1}})");
    const std::string config = (folder / "c.json").string(), run = (folder / "run").string();
    const fs::path to = folder / "hf";
    REQUIRE(attend_command({"train", config, "--out", run}).code == 0);
    REQUIRE(attend_command({"export", run, to.string()}).code == 0);
    REQUIRE(fs::remove(to / "tokenizer.txt"));
    const Json described = config_of(to);
    const auto tokens = described["vocab_size"].get<int64_t>();
    // Two more tokens, and rows up to the next round number.
    write(to / "added_tokens.json", Json{{"<pad>", tokens}, {"<sep>", tokens + 1}}.dump());
    const int64_t padded = tokens + 11;
    Json more = described;
    more["vocab_size"] = padded;
    write(to / "config.json", more.dump());
    std::vector<NamedArray> arrays;
    std::vector<std::vector<real>> values;
    {
        const SafetensorsFile file(to / "model.safetensors");
        for (const TensorInfo& t : file.tensors()) {
            const Tensor read = file.read(t.name);
            std::vector<real>& v = values.emplace_back(read.data(), read.data() + t.shape.size());
            const bool embedding = t.name == "transformer.wte.weight";
            if (embedding)
                v.resize(static_cast<std::size_t>(padded * 8), real(0.25));
            arrays.push_back({t.name, embedding ? Shape{padded, 8} : t.shape, nullptr});
        }
    }
    for (std::size_t i = 0; i < arrays.size(); ++i) arrays[i].data = values[i].data();
    write_safetensors(to / "model-00001-of-00001.safetensors", arrays);
    fs::remove(to / "model.safetensors");
    const Outcome again = attend_command({"train", config, "--out", run + "2", "--set", "init.from=" + to.string(), "--set",
                                          "train.steps=1", "--set", "init.freeze=embedding.*"});
    CHECK(again.error == "");
    REQUIRE(again.code == 0);
    const std::string log = read_file(fs::path(run + "2") / "log.txt", 1 << 20);
    CHECK(contains(
        log, fmt::format("{} of its {} ids are read: the others stand for no token of its tokenizer", tokens + 2, padded)));
    const SafetensorsFile trained(fs::path(run + "2") / "checkpoints/last/model.safetensors");
    CHECK(trained.info("embedding.weight").shape == Shape({tokens + 2, 8}));
    // What is written from there has the vocabulary of the tokenizer, and is read again bit for
    // bit.
    REQUIRE(attend_command({"export", run + "2", (folder / "once").string()}).code == 0);
    REQUIRE(attend_command({"train", config, "--out", run + "3", "--set", "init.from=" + (folder / "once").string(), "--set",
                            "train.steps=1", "--set", "init.freeze=embedding.*, position.*, decoder.0.*"})
                .code == 0);
    REQUIRE(attend_command({"export", run + "3", (folder / "twice").string()}).code == 0);
    const SafetensorsFile once(folder / "once/model.safetensors"), twice(folder / "twice/model.safetensors");
    for (const TensorInfo& t : once.tensors())
        if (!contains(t.name, "ln_f"))
            CHECK(std::ranges::equal(once.bytes(t), twice.bytes(twice.info(t.name))));
    CHECK(bytes_of(folder / "once/vocab.json") == bytes_of(folder / "twice/vocab.json"));

    // SentencePiece's file is no tokenizer that is read, and a text of its own ids would be
    // another.
    for (const char* name : {"vocab.json", "merges.txt", "added_tokens.json", "tokenizer_config.json"}) fs::remove(to / name);
    write(to / "spiece.model", "x");
    const Outcome refused = attend_command({"train", config, "--out", run + "4", "--set", "init.from=" + to.string()});
    CHECK(refused.code == 2);
    CHECK(contains(refused.error, "spiece.model: only tokenizers of the kinds bpe and wordpiece are read"));
}

TEST_SUITE_END();

}  // namespace published_folders_test
