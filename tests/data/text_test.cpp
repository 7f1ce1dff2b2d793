#include <doctest/doctest.h>

#include <algorithm>

#include "core/base/random.h"
#include "data/text/lines.h"
#include "data/text/tokenizer.h"
#include "tests/data/test_files.h"

namespace text_test {

using namespace attend;

namespace {

std::vector<std::string> all_lines(const std::string& file) {
    const Texts texts = read_lines(file);
    std::vector<std::string> lines;
    for (int64_t i = 0; i < texts.size(); ++i) lines.emplace_back(texts.text(i));
    return lines;
}
using Strings = std::vector<std::string>;

TextFile text_file(const Strings& lines) {
    TextFile t{"train.txt", {}};
    for (const auto& l : lines) t.lines.add(l);
    return t;
}

std::unique_ptr<Tokenizer> learn(const char* name, const TextFile& text, VocabularyLimits limits = {}) {
    TokenizerSetup setup;
    setup.training = &text;
    setup.limits = limits;
    return tokenizer_table().build(Selection(tokenizer_table(), name), setup);
}

}  // namespace

TEST_SUITE("text") {
    TEST_CASE("UTF-8: every code point there and back, and nothing else is valid") {
        for (char32_t c = 0; c <= 0x10FFFF; c += c < 0x3000 ? 1 : 61) {
            if (c >= 0xD800 && c <= 0xDFFF)
                continue;
            const std::string bytes = utf8_encode(c);
            const std::size_t expected = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
            if (bytes.size() != expected || utf8_size(bytes, 0) != expected || utf8::decode(bytes, 0).code != c)
                FAIL(uint32_t(c));
            for (std::size_t cut = 1; cut < bytes.size(); ++cut)
                if (utf8_size(bytes.substr(0, cut), 0) != 0)
                    FAIL(uint32_t(c));
        }
        // What is decodable by the bit pattern alone and yet invalid, and stray bytes.
        for (const char* bad : {"\x80", "\xBF", "\xC0\x80", "\xC1\xBF", "\xE0\x80\x80", "\xE0\x9F\xBF", "\xED\xA0\x80",
                                "\xED\xBF\xBF", "\xF0\x80\x80\x80", "\xF0\x8F\xBF\xBF", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80",
                                "\xFE", "\xFF", "\xC3(", "\xE2\x82(", "\xF0\x9F\x98("})
            CHECK_MESSAGE(utf8_size(bad, 0) == 0, bad);
        for (const char* good : {"\xED\x9F\xBF", "\xEE\x80\x80", "\xF4\x8F\xBF\xBF", "\xE0\xA0\x80", "\xF0\x90\x80\x80"})
            CHECK(first_invalid_utf8(good) == std::string::npos);
        CHECK(first_invalid_utf8("ab\xC3\xA9 \xC3") == 5);
        CHECK_THROWS_AS(utf8_encode(0xD800), MachineError);
        CHECK_THROWS_AS(utf8_encode(0x110000), MachineError);
    }

    TEST_CASE("lines: ends, a last line without one, empty lines, byte order mark, gzip") {
        const TestFiles folder;
        CHECK(all_lines(folder.write("a", "one\ntwo\n")) == Strings{"one", "two"});
        CHECK(all_lines(folder.write("a", "one\r\ntwo")) == Strings{"one", "two"});
        CHECK(all_lines(folder.write("a", "\n\nx\n\n")) == Strings{"", "", "x", ""});
        CHECK(all_lines(folder.write("a", "a\rb\r\r\n")) == Strings{"a\rb\r"});
        CHECK(all_lines(folder.write("a", "\xEF\xBB\xBFone\n\xEF\xBB\xBFtwo\n")) == Strings{"one", "\xEF\xBB\xBFtwo"});
        CHECK(all_lines(folder.write("a", "\n")) == Strings{""});
        CHECK(all_lines(folder.write("a", std::string_view("a\0b\n\xFF", 5))) == Strings{std::string("a\0b", 3), "\xFF"});
        CHECK(all_lines(folder.write_gzip("a.gz", "one\ntwo\n")) == Strings{"one", "two"});
        CHECK(all_lines(folder.write_gzip("packed", "one")) == Strings{"one"});
    }
    TEST_CASE("lines longer than the reader's blocks") {
        const TestFiles folder;
        Stream stream(1, "lines");
        Strings lines;
        std::string text;
        for (int i = 0; i < 40; ++i) {
            lines.push_back(std::string(stream.below(60'000), static_cast<char>('a' + i % 26)));
            text += lines.back() + (i % 2 ? "\n" : "\r\n");
        }
        CHECK(all_lines(folder.write("a", text)) == lines);
        CHECK(all_lines(folder.write_gzip("a.gz", text)) == lines);
        // CR and LF on both sides of a block's end.
        for (const std::size_t size : {131070u, 131071u, 131072u, 131073u})
            CHECK(all_lines(folder.write("b", std::string(size, 'x') + "\r\ny")) == Strings{std::string(size, 'x'), "y"});
    }
    TEST_CASE("files that cannot be read are refused by name") {
        const TestFiles folder;
        const auto message = [](const std::string& file, const LineLimits& limits = {}, const std::string& hint = "") {
            try {
                read_lines(file, limits, hint);
            } catch (const Error& e) {
                return std::string(e.what());
            }
            return std::string("no error");
        };
        const std::string none = folder.path("none");
        CHECK(message(none) == none + ": file is missing: nothing of that name is there");
        CHECK(message(none, {}, "fetch it") == none + ": file is missing: fetch it");
        CHECK(message(folder.path()) == folder.path() + ": a file is needed: this is a folder");
        const std::string empty = folder.write("empty", "");
        CHECK(message(empty) == empty + ": file is empty: lines 0, needed at least 1");
        const std::string packed = folder.write_gzip("empty.gz", "");
        CHECK(message(packed) == packed + ": file is empty: lines 0, needed at least 1");
        const std::string not_gzip = folder.write("not.gz", "one\n");
        CHECK(message(not_gzip) == not_gzip + ": name ends in .gz but the content is not gzip: first bytes 6f 6e 65 0a");
        const std::string longer = folder.write("long", "ab\nabcde\nc\n");
        CHECK(message(longer, {.line_bytes = 4}) == longer + ":2: line is too long: at least 5 bytes, allowed 4");
        CHECK(message(longer, {.line_bytes = 5}) == "no error");
        CHECK(message(longer, {.file_bytes = 10}) == longer + ": text is too long: more than 10 bytes, allowed 10");
        CHECK(message(longer, {.file_bytes = 11}) == "no error");
        // Text that does not pack well, so that a cut leaves some of it readable.
        std::string text;
        Stream stream(1, "text");
        for (int i = 0; i < 50'000; ++i) text += static_cast<char>(i % 50 == 49 ? '\n' : 'a' + stream.below(26));
        folder.write_gzip("whole.gz", text);
        const std::string bytes = folder.read("whole.gz");
        const std::string cut = folder.write("cut.gz", bytes.substr(0, bytes.size() - 5));
        CHECK(message(cut).starts_with(cut + ": gzip data are broken or cut off: "));
        std::string flipped = bytes;
        flipped[bytes.size() / 2] = static_cast<char>(flipped[bytes.size() / 2] ^ 0x10);
        const std::string broken = folder.write("broken.gz", flipped);
        CHECK(message(broken).starts_with(broken + ": gzip data are broken or cut off: "));
        for (std::size_t size = 1; size < 40; ++size)
            CHECK(message(folder.write("cut.gz", bytes.substr(0, size))) != "no error");
    }
    TEST_CASE("gzip: members follow one another, zeros may follow them, nothing else") {
        const TestFiles folder;
        const auto result = [](const std::string& file) {
            try {
                std::string all;
                for (const std::string& line : all_lines(file)) all += line + "|";
                return all;
            } catch (const Error& e) {
                return std::string(e.what());
            }
        };
        folder.write_gzip("one.gz", "one\ntw");
        folder.write_gzip("two.gz", "o\nthree\n");
        folder.write_gzip("empty.gz", "");
        const std::string one = folder.read("one.gz"), two = folder.read("two.gz"), both = one + folder.read("empty.gz") + two;
        CHECK(result(folder.write("both.gz", both)) == "one|two|three|");
        CHECK(result(folder.write("padded.gz", both + std::string(300'000, '\0'))) == "one|two|three|");
        for (const std::string& garbage : {std::string("garbage"), std::string("\x1f"), std::string("\x1fx"),
                                           std::string("x") + two, std::string("\0\0y", 3), std::string(1, '\0') + two}) {
            const std::string file = folder.write("garbage.gz", one + garbage);
            const std::size_t at = one.size() + garbage.find_first_not_of('\0');
            CHECK(result(file) == fmt::format("{}: what follows the gzip data is neither gzip nor zeros: offset {}, byte "
                                              "0x{:02x}, after line 1",
                                              file, at, static_cast<unsigned char>(garbage[garbage.find_first_not_of('\0')])));
        }
        const std::string cut = folder.write("cut.gz", one + two.substr(0, 5));
        CHECK(result(cut).starts_with(cut + ": gzip data are broken or cut off: "));
        CHECK(result(folder.write("plain",
                                  "\x1f"
                                  "one")) ==
              "\x1f"
              "one|");
    }

    TEST_CASE("vocabulary: by falling count, then by bytes, limits, unknown symbols") {
        SymbolCounter counter;
        for (const char* s : {"b", "a", "c", "c", "\xC3\xA9", "b", "d"}) counter.add(s);
        const Vocabulary all = counter.vocabulary({});
        CHECK(all.symbols() == Strings{"b", "c", "a", "d", "\xC3\xA9"});
        CHECK(all.size() == 9);
        CHECK(all.id("c") == 5);
        CHECK(all.symbol(5) == "c");
        CHECK(all.id("z") == id_unknown);
        CHECK(all.id("<unk>") == id_unknown);
        CHECK(all.id("<pad>") == id_unknown);
        CHECK(all.symbol(id_eos) == "</s>");
        CHECK_THROWS_WITH_AS(all.symbol(9), "vocabulary: id is out of range: id 9, size 9", Error);
        CHECK_THROWS_AS(all.symbol(-1), Error);
        CHECK(counter.vocabulary({.min_count = 2}).symbols() == Strings{"b", "c"});
        CHECK(counter.vocabulary({.max_size = 3}).symbols() == Strings{"b", "c", "a"});
        CHECK_THROWS_WITH_AS(counter.vocabulary({.min_count = 3}),
                             "vocabulary: no symbol is left: 5 distinct symbols, 0 of them seen at least 3 times", Error);
        CHECK_THROWS_AS(counter.vocabulary({.min_count = 0}), Error);
        CHECK_THROWS_AS(counter.vocabulary({.max_size = -1}), Error);
        CHECK_THROWS_WITH_AS(Vocabulary({"a", "b", "a"}), "vocabulary: a symbol appears twice: 'a' is symbol number 0 and 2",
                             Error);
        CHECK_THROWS_AS(Vocabulary({"a", ""}), Error);
    }
    TEST_CASE("vocabulary files: there and back, whatever the symbols") {
        const TestFiles folder;
        Strings symbols = {"\\",
                           "\\x0a",
                           "\n",
                           "\r",
                           std::string("\0", 1),
                           "\x7F",
                           " ",
                           "attend vocabulary 1: 3 symbols",
                           "\xC3\xA9",
                           "\xF0\x9F\x98\x80",
                           "<unk>",
                           "\xEF\xBB\xBF",
                           "\\\\",
                           "\t"};
        for (char c = 'a'; c <= 'z'; ++c) symbols.emplace_back(1, c);
        const Vocabulary vocabulary(symbols);
        vocabulary.save(folder.path("v"));
        CHECK(Vocabulary::load(folder.path("v")).symbols() == symbols);
        Vocabulary().save(folder.path("none"));
        CHECK(folder.read("none") == "attend vocabulary 1: 0 symbols\n");
        CHECK(Vocabulary::load(folder.path("none")).size() == first_free_id);
        Vocabulary({"a", "\n"}).save(folder.path("two"));
        CHECK(folder.read("two") == "attend vocabulary 1: 2 symbols\na\n\\x0a\n");
        CHECK_THROWS_AS(vocabulary.save(folder.path("no/folder")), Error);
    }
    TEST_CASE("vocabulary files that are broken, each with its message") {
        const TestFiles folder;
        struct Case {
            std::string_view bytes;
            const char* message;
        };
        const std::string_view expected = "expected 'attend vocabulary 1: N symbols'";
        const Case cases[] = {
            {"", ": file is empty: lines 0, needed at least 1"},
            {"a\nb\n", ":1: not a vocabulary: first line 'a', "},
            {"attend vocabulary 2: 1 symbols\na\n", ":1: not a vocabulary: first line 'attend vocabulary 2: 1 symbols', "},
            {"attend vocabulary 1: symbols\n", ":1: not a vocabulary: first line 'attend vocabulary 1: symbols', "},
            {"attend vocabulary 1:  symbols\n", ":1: not a vocabulary: first line 'attend vocabulary 1:  symbols', "},
            {"attend vocabulary 1: -1 symbols\n", ":1: not a vocabulary: first line 'attend vocabulary 1: -1 symbols', "},
            {"attend vocabulary 1: 1x symbols\na\n", ":1: not a vocabulary: first line 'attend vocabulary 1: 1x symbols', "},
            {"attend vocabulary 1: 99999999999999999999 symbols\na\n", ":1: not a vocabulary: first line "},
            {"attend vocabulary 1: 3 symbols\na\nb\n",
             ": vocabulary is cut off or too long: header says 3 symbols, file has 2"},
            {"attend vocabulary 1: 1 symbols\na\nb\n",
             ": vocabulary is cut off or too long: header says 1 symbols, file has 2"},
            {"attend vocabulary 1: 2 symbols\na\n\n", ":3: a symbol is empty: line of 0 bytes, needed at least 1"},
            {"attend vocabulary 1: 3 symbols\na\nb\na\n", ":4: a symbol appears twice: 'a', first on line 2"},
            {"attend vocabulary 1: 1 symbols\nab\xFF\n", ":2: text is not valid UTF-8: byte 3 of the line, value 0xff"},
            {"attend vocabulary 1: 1 symbols\na\\\n", ":2: unknown escape in a vocabulary: '\\' at byte 2; "},
            {"attend vocabulary 1: 1 symbols\n\\n\n", ":2: unknown escape in a vocabulary: '\\n' at byte 1; "},
            {"attend vocabulary 1: 1 symbols\n\\x41\n", ":2: unknown escape in a vocabulary: '\\x41' at byte 1; "},
            {"attend vocabulary 1: 1 symbols\n\\x0A\n", ":2: unknown escape in a vocabulary: '\\x0A' at byte 1; "},
            {"attend vocabulary 1: 1 symbols\n\\x0\n", ":2: unknown escape in a vocabulary: '\\x0' at byte 1; "},
            {"attend vocabulary 1: 1 symbols\n\\xff\n", ":2: unknown escape in a vocabulary: '\\xff' at byte 1; "},
            {"attend vocabulary 1: 1 symbols\n\\x+1\n", ":2: unknown escape in a vocabulary: '\\x+1' at byte 1; "},
        };
        for (const Case& c : cases) {
            const std::string file = folder.write("v", c.bytes);
            CAPTURE(c.bytes);
            std::string message = "no error";
            try {
                Vocabulary::load(file);
            } catch (const Error& e) {
                message = e.what();
            }
            CHECK_MESSAGE(message.starts_with(file + c.message), message);
            if (message.find("not a vocabulary") != std::string::npos)
                CHECK(message.ends_with(expected));
        }
    }

    TEST_CASE("tokenizers: cut, join, unknown symbols, special ids") {
        const TextFile text = text_file({"a b  b", "\tc b a\r",
                                         "d\xC3\xA9"
                                         "f"});
        const auto words = learn("word", text);
        CHECK(words->size() == first_free_id + 4);
        CHECK(words->encode(" b zz\ta ", {}) == std::vector<int32_t>{4, id_unknown, 5});
        CHECK(words->decode(std::vector<int32_t>{4, 3, 5}) == "b <unk> a");
        CHECK(words->normal_form(" b zz\ta ") == "b zz a");
        CHECK(words->encode("  ", {}).empty());
        CHECK(words->encode("", {}).empty());
        CHECK(words->decode({}) == "");
        CHECK(words->symbol(6) == "c");
        CHECK(words->encode("a\xC2\xA0"
                            "b",
                            {}) == std::vector<int32_t>{id_unknown});  // a no-break space does not cut
        const auto letters = learn("char", text);
        CHECK(letters->encode("\xC3\xA9", {}).size() == 1);
        CHECK(letters->decode(letters->encode("a d\xC3\xA9", {})) == "a d\xC3\xA9");
        CHECK(letters->normal_form(" a ") == " a ");
        for (const auto* t : {words.get(), letters.get()}) {
            CHECK_THROWS_WITH_AS(t->encode("ab\xC3", {"in.txt", 7}),
                                 "in.txt:7: text is not valid UTF-8: byte 3 of the line, value 0xc3", Error);
            CHECK_THROWS_WITH_AS(t->decode(std::vector<int32_t>{4, 99}),
                                 fmt::format("vocabulary: id is out of range: id 99, size {}", t->size()).c_str(), Error);
        }
        for (const char* name : {"word", "char"})
            CHECK_THROWS_WITH_AS(learn(name, text_file({"a", "\xE9t\xE9"})),
                                 "train.txt:2: text is not valid UTF-8: byte 1 of the line, value 0xe9", Error);
        CHECK_THROWS_AS(learn("word", text_file({" ", ""})), Error);
        CHECK_THROWS_AS(learn("same", text), Error);
    }
    TEST_CASE("tokenizers: saved and loaded, a file of another one is refused") {
        const TestFiles folder;
        const TextFile text = text_file({"to be or not to be"});
        for (const char* name : {"word", "char"}) {
            const auto first = learn(name, text);
            first->save(folder.path(name));
            TokenizerSetup setup;
            setup.saved = folder.path(name);
            const auto again = tokenizer_table().build(Selection(tokenizer_table(), name), setup);
            CHECK(again->size() == first->size());
            CHECK(again->encode("to be x", {}) == first->encode("to be x", {}));
        }
        TokenizerSetup setup;
        setup.saved = folder.path("word");
        CHECK_THROWS_WITH_AS(tokenizer_table().build(Selection(tokenizer_table(), "char"), setup),
                             (folder.path("word") + ": a symbol is not one of this tokenizer's: symbol 'be', 2 bytes").c_str(),
                             Error);
        setup.saved = folder.path("char");
        CHECK_THROWS_AS(tokenizer_table().build(Selection(tokenizer_table(), "word"), setup), Error);
    }
}

}  // namespace text_test
