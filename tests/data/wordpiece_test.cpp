#include <doctest/doctest.h>

#include <sstream>

#include "data/tasks/text.h"
#include "data/text/wordpiece.h"
#include "tests/data/test_files.h"

namespace wordpiece_test {

using namespace attend;

namespace {

using Strings = std::vector<std::string>;
using Ids32 = std::vector<int32_t>;

constexpr const char* small =
    "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nthe\n##s\nun\n##aff\n##able\nrun\n##n\n##ing\n,\n\u4e2d\n##\u00e9\nre\n";

TokenizerSetup own(const std::string& saved = "") {
    TokenizerSetup setup;
    setup.saved = saved;
    setup.specials = Specials::own;
    return setup;
}

std::string message(const WordpieceOptions& options, const TokenizerSetup& setup = own()) {
    try {
        wordpiece_tokenizer(options, setup);
    } catch (const Error& e) {
        return e.what();
    }
    return "no error";
}

// A text as words, which the normal form has blanks between.
Strings basic_words(const std::string& text, bool lowercase) {
    const TestFiles folder;
    WordpieceOptions options;
    options.vocabulary = folder.write("vocab.txt", small);
    options.lowercase = lowercase;
    std::istringstream normal(wordpiece_tokenizer(options, own())->normal_form(text));
    Strings words;
    for (std::string word; std::getline(normal, word, ' ');) words.push_back(word);
    return words;
}

}  // namespace

TEST_SUITE("wordpiece") {
    TEST_CASE("words as BERT cuts them") {
        const std::vector<std::pair<std::string, Strings>> cases = {
            {"Hello, World!", {"hello", ",", "world", "!"}},
            {" \t a\nb\r\u00a0c\u3000d ", {"a", "b", "c", "d"}},
            {"caf\u00e9 na\u00efve \u1ea4", {"cafe", "naive", "a"}},
            {"a\u2028b\u2029\u2029c", {"a", "b", "c"}},  // category Zl and Zp: split() of Python cuts there
            {"a\u0085b\vc\x1f"
             "d",
             {"abcd"}},  // white space to Python, but control characters are left out before
            {"ah\u4e2d\u6587b", {"ah", "\u4e2d", "\u6587", "b"}},
            {"\u30ab\u30bf \ud55c", {"\u30ab\u30bf", "\u1112\u1161\u11ab"}},
            {"don't $5.00 a-b^c", {"don", "'", "t", "$", "5", ".", "00", "a", "-", "b", "^", "c"}},
            {"a" + std::string(1, '\0') + "b\ufffd\u200e\x7f" + "c", {"abc"}},
            {"\u0130stanbul \u03a3\u03a3", {"istanbul", "\u03c3\u03c3"}},
            {"\u2014x\u00ab", {"\u2014", "x", "\u00ab"}},
            {"", {}},
            {"\u0301", {}},
        };
        for (const auto& [text, words] : cases) {
            CAPTURE(text);
            CHECK(basic_words(text, true) == words);
        }
        CHECK(basic_words("Caf\u00e9, \u4e2dX", false) == Strings{"Caf\u00e9", ",", "\u4e2d", "X"});
    }
    TEST_CASE("the longest pieces, what is unknown, there and back") {
        const TestFiles folder;
        WordpieceOptions options;
        options.vocabulary = folder.write("vocab.txt", small);
        const auto tokenizer = wordpiece_tokenizer(options, own());
        CHECK(tokenizer->size() == 17);
        CHECK_FALSE(tokenizer->exact());
        const Ids32 ids = tokenizer->encode("The unaffable,  RUNNING runs\n\u4e2d\u4e2d the", Place{});
        CHECK(ids == Ids32{5, 7, 8, 9, 13, 10, 11, 12, 10, 6, 14, 14, 5});
        CHECK(tokenizer->decode(ids) == "the unaffable , running runs \u4e2d \u4e2d the");
        CHECK(tokenizer->normal_form("The unaffable,  RUNNING") == "the unaffable , running");
        CHECK(tokenizer->cut("runs") == Strings{"run", "##s"});
        CHECK(tokenizer->encode("unx the thes", Place{}) == Ids32{1, 5, 5, 6});  // not cut to the end: one [UNK]
        CHECK(tokenizer->encode("un" + std::string(98, 's'), Place{}).size() == 99);
        CHECK(tokenizer->encode("un" + std::string(99, 's'), Place{}) == Ids32{1});  // 101 characters
        CHECK(tokenizer->special("[MASK]") == 4);
        CHECK_FALSE(tokenizer->special("the"));
        CHECK_FALSE(tokenizer->special("[NONE]"));
        CHECK(tokenizer->continues_word(5, 6));
        CHECK_FALSE(tokenizer->continues_word(6, 5));
        options.lowercase = false;
        CHECK(wordpiece_tokenizer(options, own())->encode("The re\u00e9 the", Place{}) == Ids32{1, 16, 15, 5});
        CHECK_THROWS_WITH_AS(tokenizer->encode("a\n\xff", (Place{"f", 7})),
                             "f:8: text is not valid UTF-8: byte 1 of the line, value 0xff", Error);
        CHECK_THROWS_WITH_AS(tokenizer->symbol(17), "wordpiece: id is out of range: id 17, size 17", Error);
    }
    TEST_CASE("a folder, a saved file, shared ids, running text") {
        const TestFiles folder;
        WordpieceOptions options;
        folder.write("vocab.txt", small);
        options.vocabulary = folder.path();
        const auto tokenizer = wordpiece_tokenizer(options, own());
        tokenizer->save(folder.path("saved"));
        CHECK(folder.read("saved") == small);
        options.vocabulary = folder.path("gone");
        TokenizerSetup setup = own(folder.path("saved"));
        CHECK(wordpiece_tokenizer(options, setup)->encode("runs", Place{}) == Ids32{10, 6});
        setup.specials = Specials::shared;
        const auto shared = wordpiece_tokenizer(options, setup);
        CHECK(shared->encode("runs", Place{}) == Ids32{14, 10});
        CHECK(shared->decode(Ids32{14, 10, id_eos}) == "runs </s>");
        TextOptions text;
        text.path = {folder.write("t", "the runs the runs the, the runs")};
        text.valid_fraction = 0;
        text.tokenizer.choose("wordpiece");
        text.tokenizer.as<WordpieceOptions>().vocabulary = folder.path("vocab.txt");
        const auto task = text_task(text, {.context = 4});
        CHECK(task->target_text(Split::train, 0) == "runs the run");
        CHECK(task->metrics() == Strings{"accuracy"});
    }
    TEST_CASE("broken vocabularies of pieces, each with its message") {
        const TestFiles folder;
        const std::string v = folder.path("v");
        const auto load = [&](const std::string& content) {
            folder.write("v", content);
            return message({.vocabulary = v});
        };
        CHECK(message({}) == "wordpiece: a vocabulary is needed: files 0, needed 1; \"vocabulary\" names BERT's vocab.txt");
        CHECK(load("the\n[UNK]\nthe\n") == v + ":3: a token appears twice: 'the', first on line 1");
        CHECK(load("the\n") == v + ": a vocabulary without [UNK]: tokens 1, of that name 0");
        CHECK(load("[UNK]\n\nthe\n") == v + ":2: a token is empty: line of 0 bytes, needed at least 1");
        CHECK(load("[UNK]\na\xff\n") == v + ":2: text is not valid UTF-8: byte 2 of the line, value 0xff");
        CHECK(message({.vocabulary = folder.path("gone")}) ==
              folder.path("gone") + ": file is missing: nothing of that name is there");
    }
}

}  // namespace wordpiece_test
