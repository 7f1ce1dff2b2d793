// What stands beside a published vocabulary: read where it changes the ids of a text, or refused by
// name.
#include "data/text/published_settings.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "data/text/bpe_tokenizer.h"
#include "data/text/byte_level.h"
#include "data/text/wordpiece.h"
#include "tests/data/test_files.h"

namespace published_settings_test {

using namespace attend;
using nlohmann::json;

namespace {

using Ids32 = std::vector<int32_t>;

TokenizerSetup own(const std::string& saved) {
    TokenizerSetup setup;
    setup.saved = saved;
    setup.specials = Specials::own;
    return setup;
}

// The 256 letters of bytes and more, by id.
json byte_vocabulary(const std::vector<std::string>& more) {
    json all = json::object();
    for (int b = 0; b < 256; ++b) all[to_letters(std::string(1, static_cast<char>(b)))] = b;
    for (const std::string& token : more) all[token] = all.size();
    return all;
}

template <class F>
std::string message(F&& f) {
    try {
        f();
    } catch (const Error& e) {
        return e.what();
    }
    return "";
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

// A folder with vocab.json and merges.txt.
struct Bpe {
    TestFiles files;
    Bpe() {
        files.write("vocab.json", byte_vocabulary({"he", "<|endoftext|>"}).dump());
        files.write("merges.txt", "#version: 0.2\nh e\n");
    }
    std::unique_ptr<Tokenizer> read() const { return bpe_tokenizer({}, own(files.path())); }
    std::string said() const {
        return message([&] { read(); });
    }
};

// A folder with vocab.txt.
struct Wordpiece {
    TestFiles files;
    bool lowercase = true;
    Wordpiece() { files.write("vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nthe\n##s\nrun\n"); }
    std::unique_ptr<Tokenizer> read() const {
        WordpieceOptions options;
        options.lowercase = lowercase;
        return wordpiece_tokenizer(options, own(files.path()));
    }
    std::string said() const {
        return message([&] { read(); });
    }
};

json bert_json() {
    return {{"added_tokens", {{{"id", 0}, {"content", "[UNK]"}, {"special", true}}}},
            {"normalizer",
             {{"type", "BertNormalizer"},
              {"clean_text", true},
              {"handle_chinese_chars", true},
              {"strip_accents", nullptr},
              {"lowercase", true}}},
            {"pre_tokenizer", {{"type", "BertPreTokenizer"}}},
            {"model",
             {{"type", "WordPiece"},
              {"unk_token", "[UNK]"},
              {"continuing_subword_prefix", "##"},
              {"max_input_chars_per_word", 100},
              {"vocab", {{"[UNK]", 0}, {"the", 1}, {"##s", 2}, {"run", 3}}}}}};
}

}  // namespace

TEST_SUITE("published settings") {
    TEST_CASE("bpe: added tokens have the ids after the vocabulary, and those that text is searched for are refused") {
        const Bpe f;
        CHECK(f.read()->size() == 258);
        f.files.write("added_tokens.json", R"({"<sep>": 259, "<pad>": 258})");
        CHECK(f.read()->size() == 260);
        CHECK(f.read()->special("<sep>") == 259);
        CHECK(f.read()->encode("he", Place{}) == Ids32{256});
        f.files.write("added_tokens.json", R"({"covid": 258})");
        CHECK(f.said() == f.files.path("added_tokens.json") +
                              ": an added token that text is searched for, which is not done here: token 'covid', id 258, "
                              "special not said");
        f.files.write("tokenizer_config.json",
                      R"({"added_tokens_decoder": {"257": {"content": "<|endoftext|>", "special": true},
                                                   "258": {"content": "covid", "special": true}}})");
        CHECK(f.read()->special("covid") == 258);
        f.files.write("tokenizer_config.json", R"({"added_tokens_decoder": {"258": {"content": "  ", "special": false}}})");
        CHECK(contains(f.said(),
                       "tokenizer_config.json: an added token that text is searched for, which is not done here: "
                       "token '  ', id 258, special false"));
        f.files.write("tokenizer_config.json", "{}");
        f.files.write("added_tokens.json", R"({"<pad>": 260})");
        CHECK(contains(f.said(), "vocab.json: ids are the numbers from 0 on, each once: token '<pad>' has id 260, tokens 259"));
        f.files.write("added_tokens.json", R"({"<pad>": 7})");
        CHECK(contains(f.said(), "vocab.json: two tokens have one id"));
        f.files.write("added_tokens.json", R"({"<pad>": -1})");
        CHECK(contains(f.said(), "added_tokens.json: an added token is a text with an id from 0 on: token '<pad>', id -1"));
        f.files.write("added_tokens.json", "[]");
        CHECK(contains(f.said(), "added_tokens.json: not a JSON object: found array"));
    }
    TEST_CASE("bpe: what tokenizer_config.json says of blanks in front and of other classes is refused by name") {
        const Bpe f;
        f.files.write("tokenizer_config.json", R"({"add_prefix_space": true})");
        CHECK(f.said() == f.files.path("tokenizer_config.json") +
                              ": the vocabulary beside it means other text: add_prefix_space true, here false");
        f.files.write("tokenizer_config.json", R"({"tokenizer_class": "CLIPTokenizer", "add_prefix_space": false})");
        CHECK(contains(f.said(), "tokenizer_class \"CLIPTokenizer\", here \"GPT2Tokenizer\""));
        f.files.write("tokenizer_config.json", R"({"tokenizer_class": "GPT2TokenizerFast", "model_max_length": 1024})");
        CHECK(f.said() == "");
    }
    TEST_CASE("bpe: tokenizer.json alone, also of the oldest form, which does not name its kind") {
        const TestFiles files;
        json root = {{"pre_tokenizer", {{"type", "ByteLevel"}, {"add_prefix_space", false}}},
                     {"added_tokens", {{{"id", 257}, {"content", "<|endoftext|>"}, {"special", true}}}},
                     {"model", {{"vocab", byte_vocabulary({"he", "<|endoftext|>"})}, {"merges", {"h e"}}}}};
        files.write("tokenizer.json", root.dump());
        const auto tokenizer = bpe_tokenizer({}, own(files.path()));
        CHECK(tokenizer->size() == 258);
        CHECK(tokenizer->encode("he", Place{}) == Ids32{256});
        CHECK(holds_tokenizer(files.path()));
        root["added_tokens"].push_back({{"id", 258}, {"content", "    "}, {"special", false}});
        files.write("tokenizer.json", root.dump());
        CHECK(contains(message([&] { bpe_tokenizer({}, own(files.path())); }), "tokenizer.json: an added token that text is "));
        files.write("tokenizer.json", bert_json().dump());
        CHECK(contains(message([&] { bpe_tokenizer({}, own(files.path())); }),
                       "tokenizer.json: another kind of model: model.type \"WordPiece\", known \"BPE\""));
    }
    TEST_CASE("wordpiece: everything in tokenizer_config.json that changes ids is held to what is done here") {
        Wordpiece f;
        const auto said_of = [&](const std::string& settings) {
            f.files.write("tokenizer_config.json", settings);
            return f.said();
        };
        const std::string where = f.files.path("tokenizer_config.json") + ": the vocabulary beside it means other text: ";
        CHECK(said_of("{}") == "");
        CHECK(said_of(R"({"do_lower_case": false})") ==
              where + "do_lower_case false, here true; set data.tokenizer's lowercase to false");
        CHECK(said_of(R"({"do_lower_case": true, "strip_accents": null, "tokenize_chinese_chars": true, "never_split": null,
                          "unk_token": {"content": "[UNK]"}, "tokenizer_class": "BertTokenizer"})") == "");
        CHECK(said_of(R"({"strip_accents": false})") == where + "strip_accents false, here true");
        CHECK(said_of(R"({"tokenize_chinese_chars": false})") == where + "tokenize_chinese_chars false, here true");
        CHECK(said_of(R"({"do_basic_tokenize": false})") == where + "do_basic_tokenize false, here true");
        CHECK(said_of(R"({"never_split": ["a"]})") == where + "never_split [\"a\"], here []");
        CHECK(said_of(R"({"unk_token": "<unk>"})") == where + "unk_token \"<unk>\", here \"[UNK]\"");
        CHECK(said_of(R"({"tokenizer_class": "BertJapaneseTokenizer"})") ==
              where + "tokenizer_class \"BertJapaneseTokenizer\", here \"BertTokenizer\"");
        CHECK(contains(said_of("[1]"), "tokenizer_config.json: not a JSON object: found array"));
        f.lowercase = false;
        CHECK(said_of("{}") == where +
                                   "do_lower_case true (not said, and so by default), here false; set data.tokenizer's "
                                   "lowercase to true");
        CHECK(said_of(R"({"do_lower_case": false, "strip_accents": true})") == where + "strip_accents true, here false");
    }
    TEST_CASE("wordpiece: added tokens follow vocab.txt") {
        const Wordpiece f;
        f.files.write("added_tokens.json", R"({"<b>": 9, "[NEW]": 8})");
        const auto tokenizer = f.read();
        CHECK(tokenizer->size() == 10);
        CHECK(tokenizer->special("[NEW]") == 8);
        CHECK(tokenizer->special("<b>") == 9);
        CHECK(tokenizer->encode("the runs", Place{}) == Ids32{5, 7, 6});
        f.files.write("added_tokens.json", R"({"[NEW]": 9})");
        CHECK(contains(f.said(), "vocab.txt: an added token is not in its place: '[NEW]' with id 9, tokens there 8"));
        f.files.write("added_tokens.json", R"({"covid": 8})");
        CHECK(contains(f.said(), "an added token that text is searched for, which is not done here: token 'covid', id 8"));
    }
    TEST_CASE("wordpiece: tokenizer.json alone, and what in it is done otherwise here") {
        const TestFiles files;
        WordpieceOptions options;
        const auto said_of = [&](const std::function<void(json&)>& change) {
            json root = bert_json();
            change(root);
            files.write("tokenizer.json", root.dump());
            return message([&] { wordpiece_tokenizer(options, own(files.path())); });
        };
        REQUIRE(said_of([](json&) {}) == "");
        const auto tokenizer = wordpiece_tokenizer(options, own(files.path()));
        CHECK(tokenizer->encode("The runs, runs", Place{}) == Ids32{1, 3, 2, 0, 3, 2});
        CHECK(said_of([](json& r) { r["model"].erase("type"); }) == "");  // as the oldest files have it
        const std::string where = files.path("tokenizer.json") + ": ", kind = where + "a tokenizer of another kind: ";
        CHECK(said_of([](json& r) { r["model"]["type"] = "Unigram"; }) ==
              kind + "model.type is \"Unigram\", read is \"WordPiece\"");
        CHECK(said_of([](json& r) { r["model"]["unk_token"] = "<unk>"; }) ==
              kind + "model.unk_token is \"<unk>\", read is \"[UNK]\"");
        CHECK(said_of([](json& r) { r["model"]["continuing_subword_prefix"] = "@@"; }) ==
              kind + "model.continuing_subword_prefix is \"@@\", read is \"##\"");
        CHECK(said_of([](json& r) { r["normalizer"]["type"] = "NFKC"; }) ==
              kind + "normalizer.type is \"NFKC\", read is \"BertNormalizer\"");
        CHECK(said_of([](json& r) { r["normalizer"] = nullptr; }) ==
              kind + "normalizer.type is null, read is \"BertNormalizer\"");
        CHECK(said_of([](json& r) { r["normalizer"]["lowercase"] = false; }) ==
              kind + "normalizer.lowercase is false, read is true; set data.tokenizer's lowercase to false");
        CHECK(said_of([](json& r) { r["normalizer"]["strip_accents"] = false; }) ==
              kind + "normalizer.strip_accents is false, read is null");
        CHECK(said_of([](json& r) { r["normalizer"]["handle_chinese_chars"] = false; }) ==
              kind + "normalizer.handle_chinese_chars is false, read is true");
        CHECK(said_of([](json& r) { r["pre_tokenizer"]["type"] = "Whitespace"; }) ==
              kind + "pre_tokenizer.type is \"Whitespace\", read is \"BertPreTokenizer\"");
        CHECK(said_of([](json& r) {
                  r["model"]["vocab"] = {{"a", 7}};
              }) == where + "ids are the numbers from 0 on, each once: token 'a' has id 7, tokens 2");
        CHECK(contains(said_of([](json& r) { r["model"]["vocab"] = json::array({{"a", 0.5}}); }), "another kind of model"));
        CHECK(contains(said_of([](json& r) { r = json::array(); }), "no tokenizer"));
        files.write("tokenizer.json", std::string(88'000, '[') + std::string(88'000, ']'));
        CHECK(contains(message([&] { wordpiece_tokenizer(options, own(files.path())); }),
                       "tokenizer.json: nested too deeply: depth 65, limit 64"));
    }
}

}  // namespace published_settings_test
