// Tokenizers in the files of their kind as published: written, read back, the same ids.
#include <doctest/doctest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "core/base/files.h"
#include "data/tasks/masked_text.h"
#include "data/tasks/text.h"
#include "data/text/bpe_tokenizer.h"
#include "data/text/special_tokens.h"
#include "data/text/wordpiece.h"
#include "tests/data/test_files.h"

namespace published_tokenizer_test {

using namespace attend;

namespace {

using Strings = std::vector<std::string>;

const std::string sample = "low lower lowest \xC3\xA9t\xC3\xA9 \"quoted\\\" new\nnewer newest wide wider\n\xFF";

std::unique_ptr<Tokenizer> built(const Selection& row, const std::string& saved, Specials specials = Specials::own) {
    TokenizerSetup setup;
    setup.saved = saved;
    setup.specials = specials;
    setup.pieces = [](auto take) { take(sample, Place{"sample", 1}); };
    return tokenizer_table().build(row, setup);
}

Selection row_of(const char* name) { return Selection(tokenizer_table(), name); }

std::string text_of(const TestFiles& folder, const char* name) { return read_file(folder.path(name), 1 << 20); }

}  // namespace

TEST_SUITE("published tokenizers") {
    TEST_CASE("bpe: vocab.json and merges.txt give the ids again, with the tokens after them") {
        const TestFiles folder;
        Selection row = row_of("bpe");
        row.as<BpeOptions>().merges = 30;
        const auto plain = built(row, "");
        const auto first = with_special_tokens(built(row, ""), {"[MASK]", "<|endoftext|>"});
        CHECK(first->publish(folder.path(""), {"last"}) == Strings{"vocab.json", "merges.txt", "tokenizer_config.json"});
        const auto vocabulary = nlohmann::json::parse(text_of(folder, "vocab.json"));
        CHECK(vocabulary.size() == static_cast<std::size_t>(plain->size()) + 3);
        CHECK(vocabulary["[MASK]"] == plain->size());
        CHECK(vocabulary["<|endoftext|>"] == plain->size() + 1);
        CHECK(vocabulary["last"] == plain->size() + 2);
        CHECK(vocabulary["\xC3\x83"] == 0xC3);  // the letter of byte C3
        CHECK(text_of(folder, "merges.txt").starts_with("#version: 0.2\n"));
        CHECK(nlohmann::json::parse(text_of(folder, "tokenizer_config.json"))["tokenizer_class"] == "GPT2Tokenizer");
        // As tokenizer.vocabulary names it, and as init.from does.
        row.as<BpeOptions>().vocabulary = folder.path("");
        for (const auto& again : {built(row, ""), built(row_of("bpe"), saved_tokenizer(folder.path("")))}) {
            CHECK(again->size() == plain->size() + 3);
            CHECK(again->encode(sample, {}) == plain->encode(sample, {}));
            CHECK(again->decode(again->encode(sample, {})) == sample);
            CHECK(again->special("[MASK]") == first->special("[MASK]"));
        }
        CHECK(built(row, "", Specials::shared)->publish(folder.path(""), {}).empty());
    }
    TEST_CASE("wordpiece: vocab.txt, and whether letters are small") {
        const TestFiles folder;
        Selection row = row_of("wordpiece");
        row.as<WordpieceOptions>().vocabulary = folder.write("v", "[UNK]\nlow\n##er\n##est\nnew\n[SEP]\n");
        row.as<WordpieceOptions>().lowercase = false;
        const std::string text = "low lower newest Low";
        const auto first = with_special_tokens(built(row, ""), encoder_tokens);
        CHECK(first->publish(folder.path(""), {}) == Strings{"vocab.txt", "tokenizer_config.json"});
        CHECK(text_of(folder, "vocab.txt") == "[UNK]\nlow\n##er\n##est\nnew\n[SEP]\n[MASK]\n[CLS]\n");
        CHECK(nlohmann::json::parse(text_of(folder, "tokenizer_config.json")) ==
              nlohmann::json{{"tokenizer_class", "BertTokenizer"}, {"do_lower_case", false}});
        row.as<WordpieceOptions>().vocabulary = folder.path("");
        const auto again = with_special_tokens(built(row, ""), encoder_tokens);
        CHECK(again->size() == first->size());
        CHECK(again->encode(text, {}) == first->encode(text, {}));
        row.as<WordpieceOptions>().lowercase = true;  // not what the folder says
        std::string said;
        try {
            built(row, "");
        } catch (const Error& e) {
            said = e.what();
        }
        CHECK(said.find("do_lower_case false, here true; set data.tokenizer's lowercase to false") != std::string::npos);
        row.as<WordpieceOptions>().lowercase = false;
        for (const std::string& name : encoder_tokens) CHECK(again->special(name) == first->special(name));
        CHECK(built(row, "", Specials::shared)->publish(folder.path(""), {}).empty());
    }
    TEST_CASE("kinds that were not published write nothing") {
        const TestFiles folder;
        std::filesystem::create_directory(folder.path("none"));
        for (const char* name : {"byte", "word"}) {
            TokenizerSetup setup;
            setup.specials = Specials::own;
            setup.pieces = [](auto take) { take("a b a b", Place{"sample", 1}); };
            CHECK(tokenizer_table().build(row_of(name), setup)->publish(folder.path("none"), {}).empty());
        }
        CHECK(std::filesystem::is_empty(folder.path("none")));
        CHECK_FALSE(holds_tokenizer(folder.path("none")));
    }
    TEST_CASE("a task writes its tokenizer so, and another begins with the folder") {
        const TestFiles folder;
        TextOptions options;
        std::string text;
        for (int i = 0; i < 40; ++i) text += "lower and lower, newer and newer\n";
        options.path = {folder.write("text", text)};
        options.tokenizer.choose("bpe");
        options.tokenizer.as<BpeOptions>().merges = 12;
        const auto first = text_task(options, {.context = 8});
        std::filesystem::create_directory(folder.path("hf"));
        CHECK(first->publish(folder.path("hf")).size() == 3);
        CHECK(holds_tokenizer(folder.path("hf")));
        options.tokenizer.as<BpeOptions>().merges = 3;  // not what is learnt, but what is loaded
        const auto second = text_task(options, {.saved = folder.path("hf"), .context = 8});
        CHECK(second->target_vocabulary_size() == first->target_vocabulary_size());
        const auto ids = [](const Task& task) { return task.batches(Split::valid, {.batch = 4})->at(0).input.values; };
        CHECK(ids(*second) == ids(*first));
        MaskedTextOptions masked;
        masked.text = options;
        const auto third = masked_text_task(masked, {.saved = folder.path("hf"), .context = 16});
        CHECK(third->target_vocabulary_size() == first->target_vocabulary_size() + 3);
    }
}

}  // namespace published_tokenizer_test
