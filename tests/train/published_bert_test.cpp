// Folders in the layout that BERT was published in: what export writes, init.from reads, bit for
// bit.
#include <doctest/doctest.h>

#include <cstring>
#include <fstream>
#include <map>

#include "core/safetensors.h"
#include "nn/models/bert.h"
#include "tests/train/published_support.h"
#include "tests/train/run_support.h"
#include "train/exchange/pretrained.h"
#include "train/exchange/published.h"

namespace published_bert_test {

TEST_SUITE_BEGIN("train: published bert");

using namespace attend;
using attend::testing::contains;
using attend::testing::message_of;
namespace fs = std::filesystem;

namespace {

constexpr int64_t width = 6, vocabulary = 9;
constexpr ModelSetup masked_words = {0, vocabulary, TargetKind::masked, 0},
                     masked_pairs = {0, vocabulary, TargetKind::masked, 2},
                     labelled_rows = {0, vocabulary, TargetKind::none, 3};

BertOptions small_bert() {
    BertOptions o;
    o.blocks.layers = 2;
    o.blocks.heads = 2;
    o.blocks.width = width;
    o.context = 5;
    return o;
}

struct Folder {
    oracles::TemporaryFolder folder;
    ModelSetup setup;
    ParameterStore store{7};
    Bert model;
    fs::path path = folder / "bert";
    explicit Folder(const ModelSetup& of = masked_pairs) : setup(of), model(small_bert(), Scope(store), of) {
        for (const Parameter& p : store.table())  // biases too have values of their own
            for (int64_t i = 0; i < p.shape.size(); ++i)
                store.values(p)[i] += static_cast<real>(p.index) / 64 + static_cast<real>(i) / 1024;
        write_published(path, model.published_layout(), store);
    }
    Json config() const { return Json::parse(read_file(path / "config.json", 1 << 20)); }

    void rewrite(const std::function<void(attend::testing::Arrays&)>& change) {
        attend::testing::rewrite_weights(path, change);
    }
    // What reading into another model says; "" and equal weights of what was taken where it
    // succeeds.
    std::string read(const ModelSetup& into, const std::string& take = "*") {
        ParameterStore other(8);
        const Bert reader(small_bert(), Scope(other), into);
        const auto wanted = [&](const std::string& name) { return matches_any(take, name); };
        const std::string said = message_of([&] { read_published(path, reader.published_layout(), other, wanted); });
        if (said.empty())
            for (const Parameter& p : other.table()) {
                if (!wanted(p.name))
                    continue;
                CAPTURE(p.name);
                CHECK(std::memcmp(store.values(*store.find(p.name)), other.values(p),
                                  static_cast<std::size_t>(p.shape.size()) * sizeof(real)) == 0);
            }
        return said;
    }
};

}  // namespace

TEST_CASE("what is written has BERT's names, shapes and orientations, and is read back bit for bit") {
    Folder f;
    const SafetensorsFile file(f.path / "model.safetensors");
    CHECK(file.tensors().size() == 5 + 2 * 16 + 2 + 5 + 2);
    CHECK(file.info("bert.embeddings.word_embeddings.weight").shape == Shape({vocabulary, width}));
    CHECK(file.info("bert.embeddings.position_embeddings.weight").shape == Shape({5, width}));
    CHECK(file.info("bert.embeddings.token_type_embeddings.weight").shape == Shape({2, width}));
    CHECK(file.info("bert.embeddings.LayerNorm.weight").shape == Shape({width}));
    CHECK(file.info("bert.encoder.layer.1.attention.output.LayerNorm.bias").shape == Shape({width}));
    CHECK(file.info("bert.encoder.layer.1.intermediate.dense.weight").shape == Shape({24, width}));
    CHECK(file.info("bert.encoder.layer.1.output.dense.weight").shape == Shape({width, 24}));
    CHECK(file.info("cls.predictions.bias").shape == Shape({vocabulary}));
    CHECK(file.info("cls.predictions.transform.LayerNorm.weight").shape == Shape({width}));
    CHECK(file.info("cls.seq_relationship.weight").shape == Shape({2, width}));
    CHECK(file.info("bert.pooler.dense.bias").shape == Shape({width}));
    // [out, in] there, and queries, keys and values side by side in ours
    const real* qkv = f.store.values(*f.store.find("encoder.1.self.qkv.weight"));
    const real* bias = f.store.values(*f.store.find("encoder.1.self.qkv.bias"));
    int64_t first = 0;
    for (const char* part : {"query", "key", "value"}) {
        const std::string name = fmt::format("bert.encoder.layer.1.attention.self.{}.", part);
        const Tensor weight = file.read(name + "weight"), b = file.read(name + "bias");
        REQUIRE(weight.shape() == Shape({width, width}));
        REQUIRE(b.shape() == Shape({width}));
        for (int64_t out = 0; out < width; ++out) {
            CHECK(b.data()[out] == bias[first + out]);
            for (int64_t in = 0; in < width; ++in) CHECK(weight.data()[out * width + in] == qkv[in * 3 * width + first + out]);
        }
        first += width;
    }
    const Json config = f.config();
    CHECK(config["model_type"] == "bert");
    CHECK(config["architectures"][0] == "BertForPreTraining");
    CHECK(config["vocab_size"] == vocabulary);
    CHECK(config["hidden_size"] == width);
    CHECK(config["num_hidden_layers"] == 2);
    CHECK(config["num_attention_heads"] == 2);
    CHECK(config["intermediate_size"] == 24);
    CHECK(config["hidden_act"] == "gelu");
    CHECK(config["max_position_embeddings"] == 5);
    CHECK(config["type_vocab_size"] == 2);
    CHECK(config["layer_norm_eps"] == 1e-12);
    CHECK(is_published(f.path));
    CHECK(f.read(masked_pairs) == "");
}

TEST_CASE("each head has its architecture") {
    Folder words(masked_words), rows(labelled_rows);
    CHECK(words.config()["architectures"][0] == "BertForMaskedLM");
    CHECK(words.read(masked_words) == "");
    CHECK(rows.config()["architectures"][0] == "BertForSequenceClassification");
    CHECK(rows.config()["num_labels"] == 3);
    CHECK(rows.read(labelled_rows) == "");
}

TEST_CASE("older names, names without the prefix, position ids and the decoder a second time are read past") {
    Folder f;
    static const real ids[1] = {0};
    f.rewrite([&](auto& arrays) {
        std::map<std::string, NamedArray> old;
        for (auto& [name, array] : arrays) {
            std::string other = name;
            const auto swap = [&](const std::string& now, const std::string& before) {
                if (other.ends_with(now))
                    other = other.substr(0, other.size() - now.size()) + before;
            };
            swap("LayerNorm.weight", "LayerNorm.gamma");
            swap("LayerNorm.bias", "LayerNorm.beta");
            old[other] = array;
        }
        old["bert.embeddings.position_ids"] = {"", {1, 1}, ids};
        old["cls.predictions.decoder.weight"] = old["bert.embeddings.word_embeddings.weight"];
        old["cls.predictions.decoder.bias"] = old["cls.predictions.bias"];
        arrays = old;
    });
    CHECK(f.read(masked_pairs) == "");
    f.rewrite([&](auto& arrays) {
        std::map<std::string, NamedArray> bare;
        for (auto& [name, array] : arrays) bare[name.starts_with("bert.") ? name.substr(5) : name] = array;
        arrays = bare;
    });
    CHECK(f.read(masked_pairs) == "");
}

TEST_CASE("a file of BERT with missing, extra and misshaped tensors names all of them") {
    Folder f;
    static const real few[6] = {};
    f.rewrite([&](auto& arrays) {
        arrays.erase("bert.encoder.layer.0.attention.self.key.bias");
        arrays.erase("bert.embeddings.LayerNorm.bias");
        arrays["bert.encoder.layer.2.output.dense.bias"] = {"", {6}, few};
        arrays["cls.predictions.transform.dense.bias"] = {"", {2, 3}, few};
    });
    const std::string said = f.read(masked_pairs);
    CHECK(
        contains(said, "2 parameters missing (bert.embeddings.LayerNorm.bias, bert.encoder.layer.0.attention.self.key.bias)"));
    CHECK(contains(said, "1 of the wrong shape (cls.predictions.transform.dense.bias: file [2, 3], here [6])"));
    CHECK(contains(said, "1 unknown to this model (bert.encoder.layer.2.output.dense.bias)"));
}

TEST_CASE("heads of another task are named, and left out only where init.take says so") {
    Folder f;
    const std::string said = f.read(labelled_rows);
    CHECK(contains(said, "2 parameters missing (classifier.weight, classifier.bias)"));
    CHECK(contains(said, "7 unknown to this model (cls.predictions.transform.dense.weight, "));
    CHECK(contains(said, "cls.seq_relationship.weight"));
    CHECK(contains(said, "init.take chooses what is taken"));
    CHECK(f.read(labelled_rows, "embedding.*,encoder.*,pooler.*") == "");
    CHECK(contains(f.read(masked_words), "4 parameters unknown to this model (bert.pooler.dense.weight, "));
    CHECK(f.read(masked_words, "embedding.*,encoder.*,masked.*") == "");
}

TEST_CASE("another BERT than the config's is refused, and so is what its layout has no place for") {
    Folder f;
    BertOptions other = small_bert();
    other.blocks.heads = 3;
    other.blocks.norm_epsilon = 1e-5;
    other.context = 7;
    ParameterStore store(1);
    const Bert reader(other, Scope(store), masked_pairs);
    CHECK(contains(message_of([&] { read_published(f.path, reader.published_layout(), store, {}); }),
                   "num_attention_heads 2, here 3; max_position_embeddings 5, here 7; layer_norm_eps 1e-12, here 1e-05"));
    const auto message = [](auto change) {
        BertOptions o = small_bert();
        change(o);
        ParameterStore fresh(1);
        const Bert model(o, Scope(fresh), masked_words);
        return message_of([&] { (void)model.published_layout(); });
    };
    CHECK(message([](BertOptions&) {}) == "");
    CHECK(message([](BertOptions& o) { o.blocks.norm_place = "pre"; }) ==
          "model bert: the layout of BERT has no place for this model: model.norm_place pre, there post");
    CHECK(contains(message([](BertOptions& o) { o.blocks.bias = false; }), "model.bias false, there true"));
    CHECK(contains(message([](BertOptions& o) { o.segments = 0; }), "model.segments 0, there 1 or more"));
    CHECK(contains(message([](BertOptions& o) { o.blocks.activation = "swiglu"; }), "model.activation swiglu"));
}

TEST_SUITE_END();

}  // namespace published_bert_test
