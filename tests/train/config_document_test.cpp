#include <doctest/doctest.h>

#include <cstdio>
#include <filesystem>
#include <fstream>

#include "core/base/random.h"
#include "data/text/utf8.h"
#include "tests/train/config_samples.h"
#include "train/config/utf8.h"

namespace config_document_test {

using namespace attend;
using config::Value;

TEST_SUITE_BEGIN("config_document");

namespace {
std::string parse_error_of(const std::string& text) {
    try {
        (void)samples::parse(text);
    } catch (const Error& e) {
        return e.what();
    }
    return "";
}
std::string times(int n, const std::string& text) {
    std::string all;
    for (int i = 0; i < n; ++i) all += text;
    return all;
}
}  // namespace

TEST_CASE("a text becomes a tree that knows its lines") {
    const Value v = samples::parse(
        "\xEF\xBB\xBF{\n\"a\": 1, // one\n/* two\nlines */ \"b\": [1.5,\n-3\n], \"c\": {\"d\": null,\n"
        "\"e\": \"x\\n\", \"f\": true}}\n// end");
    REQUIRE(v.members.size() == 3);
    CHECK(v.members[0].key == "a");
    CHECK(v.members[0].place.text() == "x.json:2");
    CHECK(v.members[0].value.kind == Value::Kind::integer);
    CHECK(v.members[0].value.integer == 1);
    const Value& b = v.find("b")->value;
    CHECK(v.find("b")->place.line == 4);
    REQUIRE(b.elements.size() == 2);
    CHECK(b.elements[0].number == 1.5);
    CHECK(b.elements[0].place.line == 4);
    CHECK(b.elements[1].integer == -3);
    CHECK(b.elements[1].place.line == 5);  // the lexer has read the line feed after it
    const Value& c = v.find("c")->value;
    CHECK(c.find("d")->value.kind == Value::Kind::null);
    CHECK(c.find("e")->place.line == 7);
    CHECK(c.find("e")->value.text == "x\n");
    CHECK(c.find("f")->value.boolean);
    CHECK(c.find("g") == nullptr);
}

TEST_CASE("integers keep all their digits and larger ones stay numbers") {
    const Value v = samples::parse(R"({"a": 9223372036854775807, "b": -9223372036854775808, "c": 18446744073709551615,
                                       "d": 99999999999999999999, "e": 1e308})");
    CHECK(v.find("a")->value.integer == INT64_MAX);
    CHECK(v.find("b")->value.integer == INT64_MIN);
    CHECK(v.find("c")->value.kind == Value::Kind::number);
    CHECK(v.find("c")->value.text == "18446744073709551615");
    CHECK(v.find("d")->value.text == "99999999999999999999");
    CHECK(v.find("e")->value.number == 1e308);
}

TEST_CASE("broken texts: the message of each") {
    struct Case {
        std::string text, message;
    };
    const Case cases[] = {
        {"", "x.json:1: empty: 0 bytes, expected a JSON value"},
        {" \n\t ", "x.json:1: empty: 4 bytes, expected a JSON value"},
        {"\xEF\xBB\xBF", "x.json:1: empty: 3 bytes, expected a JSON value"},
        {"// nothing\n",
         "x.json:1: syntax error in value: unexpected end of input, expected '[', '{', or a literal: column 11, at '// "
         "nothing\\n'"},
        {"[1, 2]", "x.json:1: wrong type: expected an object {...}, got a list of 2"},
        {"\n3", "x.json:2: wrong type: expected an object {...}, got 3"},
        {"{\"a\": 1,\n \"b\": 2,\n \"a\": 3}", "x.json:3: duplicate key: 'a' stands on line 1 and on line 3"},
        {"{\"a\": {\"b\": 1,\n \"b\": 2}}", "x.json:2: duplicate key: 'b' stands on line 1 and on line 2"},
        {"{\n \"a\": 1,\n}",
         "x.json:3: syntax error in object key: unexpected '}', expected string literal: column 1, at '}'; remove the comma "
         "before it"},
        {"{\"a\": [1,]}",
         "x.json:1: syntax error in value: unexpected ']', expected '[', '{', or a literal: column 10, at '{\"a\": [1,]'; "
         "remove "
         "the comma before it"},
        {"{\"a\": 1 \"b\": 2}",
         "x.json:1: syntax error in object: unexpected string literal, expected '}': column 11, at '{\"a\": 1 \"b\"'; a comma "
         "is "
         "missing before it"},
        {"{\"a\" 1}",
         "x.json:1: syntax error in object separator: unexpected number literal, expected ':': column 7, at '{\"a\" 1}'"},
        {"{\"a\": tru}",
         "x.json:1: syntax error in value: invalid literal: column 10, at '{\"a\": tru}'; text stands in double quotes"},
        {"{\"a\": NaN}",
         "x.json:1: syntax error in value: invalid literal: column 7, at '{\"a\": N'; JSON has no NaN and no infinity"},
        {"{\"a\": nan}",
         "x.json:1: syntax error in value: invalid literal: column 8, at '{\"a\": na'; JSON has no NaN and no infinity"},
        {"{\"a\": Infinity}",
         "x.json:1: syntax error in value: invalid literal: column 7, at '{\"a\": I'; JSON has no NaN and no infinity"},
        {"{\"a\": [1, -Infinity]}",
         "x.json:1: syntax error in value: invalid number: column 12, at '{\"a\": [1, -I'; JSON has no "
         "NaN and no infinity"},
        {"{\"a\": -x}",
         "x.json:1: syntax error in value: invalid number: column 8, at '{\"a\": -x'; text stands in "
         "double quotes"},
        {"{\"a\": 1e}",
         "x.json:1: syntax error in value: invalid number: column 9, at "
         "'{\"a\": 1e}'"},
        {"{\"a\": True}",
         "x.json:1: syntax error in value: invalid literal: column 7, at '{\"a\": T'; JSON writes true, false and null, in "
         "small "
         "letters"},
        {"{\"a\":\n [False]}",
         "x.json:2: syntax error in value: invalid literal: column 3, at ' [F'; JSON writes true, false and null, in small "
         "letters"},
        {"{\"a\": None}",
         "x.json:1: syntax error in value: invalid literal: column 7, at '{\"a\": N'; JSON writes true, false and null, in "
         "small "
         "letters"},
        {"{\"a\": gelu}",
         "x.json:1: syntax error in value: invalid literal: column 7, at '{\"a\": g'; text stands in double quotes"},
        {"{'a': 1}",
         "x.json:1: syntax error in object key: invalid literal: column 2, at '{''; text stands in "
         "double quotes, not in single ones"},
        {"{\"a\": 01}",
         "x.json:1: syntax error in object: unexpected number literal, expected '}': column 9, at '{\"a\": 01}'"},
        {"{\"a\": 'x'}",
         "x.json:1: syntax error in value: invalid literal: column 7, at '{\"a\": ''; text stands in double quotes, not in "
         "single ones"},
        {"{\"a\": 1", "x.json:1: syntax error in object: unexpected end of input, expected '}': column 7, at '{\"a\": 1'"},
        {"{\"a\": \"x", "x.json:1: syntax error in value: invalid string: missing closing quote: column 8, at '{\"a\": \"x'"},
        {"{\"a\": \"x\ny\"}",
         "x.json:1: syntax error in value: invalid string: control character U+000A (LF) must be escaped to \\u000A or \\n: "
         "column 9, at '{\"a\": \"x\\n'"},
        {"{\"a\": \"\\ud800\"}",
         "x.json:1: syntax error in value: invalid string: surrogate U+D800..U+DBFF must be followed by U+DC00..U+DFFF: "
         "column 14, at '{\"a\": \"\\ud800\"'"},
        {"{} x", "x.json:1: text after the end of the value: column 4, at '{} x'"},
        {"{}\n{}", "x.json:2: text after the end of the value: column 1, at '{'"},
        {"{}}", "x.json:1: text after the end of the value: column 3, at '{}}'"},
        {"{ /* open", "x.json:1: syntax error in object key: invalid comment; missing closing '*/': column 9, at '{ /* open'"},
        {"{\"a\": 1}\n# no", "x.json:2: text after the end of the value: column 1, at '#'"},
        {"{\"a\":\n 1e999}", "x.json:2: number out of range: value 1e999, largest 1.797e308"},
        {"{\n\"a\": \"\xff\"}", "x.json:2: invalid UTF-8: byte 0xff at offset 8 of 11"},
        {"{} // \xC3", "x.json:1: invalid UTF-8: byte 0xc3 at offset 6 of 7"},
        {"\xFF\xFE{", "x.json:1: invalid UTF-8: byte 0xff at offset 0 of 3"},
        {std::string("{}\0{", 4), "x.json:1: NUL byte in the text: offset 2 of 4"},
        {times(10000, "["), "x.json:1: nested too deeply: depth 65, limit 64"},
        {times(10000, "{\"a\":\n"), "x.json:65: nested too deeply: depth 65, limit 64"},
        {"{\"a\": [" + times(200'000, "1,") + "1]}", "x.json:1: too many values: value 200001, limit 200000"},
    };
    for (const Case& c : cases) {
        CAPTURE(c.text.substr(0, 60));
        CHECK(parse_error_of(c.text) == c.message);
    }
    CHECK(parse_error_of("{\"a\": " + times(63, "[") + times(63, "]") + "}") == "");
}

TEST_CASE("a message is short even where the token is long") {
    CHECK(parse_error_of("{\"a\": \"" + times(100'000, "y")).size() < 250);
    CHECK(parse_error_of("{\"" + times(100'000, "y") + "\": 1, \"" + times(100'000, "y") + "\": 1}").size() < 250);
}

TEST_CASE("every beginning of a config that is not all of it is refused") {
    const std::string text = "{\"a\": [1, -2.5e3, {\"b\": \"\\u00e9\"}], /* c */ \"d\": true}";
    for (std::size_t n = 0; n < text.size(); ++n) {
        CAPTURE(n);
        CHECK(parse_error_of(text.substr(0, n)) != "");
    }
    CHECK(parse_error_of(text) == "");
}

TEST_CASE("changed bytes of a valid config give an Error or a value and nothing else") {
    const std::string& valid = samples::full_config();
    Stream stream(1, "config mutations");
    const std::string alphabet = "{}[]\",:/*\\\n 0123456789.eE+-truefalsn\xC3\xFF";
    int refused = 0;
    for (int i = 0; i < 4000; ++i) {
        std::string text = valid;
        for (uint32_t edits = 1 + stream.below(3); edits > 0; --edits) {
            const std::size_t at = stream.below(static_cast<uint32_t>(text.size()));
            const char c = alphabet[stream.below(static_cast<uint32_t>(alphabet.size()))];
            switch (stream.below(4)) {
                case 0:
                    text[at] = c;
                    break;
                case 1:
                    text.insert(at, 1, c);
                    break;
                case 2:
                    text.erase(at, 1 + stream.below(5));
                    break;
                default:
                    text.insert(at, text.substr(at, stream.below(20)));
            }
        }
        const std::string message = samples::error_of(text);  // anything but Error ends the test
        if (message.empty())
            continue;
        ++refused;
        CHECK(message.starts_with("x.json:"));
        CHECK(first_invalid_utf8(message) == std::string::npos);
    }
    CHECK(refused > 1000);
}

TEST_CASE("files: relative to their folder, missing, a folder, too large") {
    namespace fs = std::filesystem;
    const fs::path folder = fs::path(ATTEND_BINARY_DIR) / "config_document_test";
    fs::create_directories(folder);
    const std::string file = (folder / "x.json").string();
    const auto message_of = [](const std::string& path) {
        try {
            (void)config::load(path);
        } catch (const Error& e) {
            return std::string(e.what());
        }
        return std::string();
    };
    std::ofstream(file) << R"({"name": "loaded"})";
    const Value v = config::load(file);
    CHECK(v.find("name")->value.text == "loaded");
    CHECK(v.find("name")->place.text() == file + ":1");
    CHECK(v.place.source->folder == folder.string());

    const std::string none = (folder / "none.json").string();
    CHECK(message_of(none) == none + ": cannot be read: No such file or directory");
    CHECK(message_of(folder.string()) == folder.string() + ": cannot be read: it is a folder, and a file is needed");
    std::ofstream(file) << std::string(config::largest_file + 1, ' ');
    CHECK(message_of(file) == fmt::format("{}: file is too large: size {} bytes, limit {} bytes", file,
                                          config::largest_file + 1, config::largest_file));
    fs::remove_all(folder);
}

TEST_CASE("utf8: what is valid and what is not") {
    for (const char* good : {"", "abc", "\xC3\xA9", "\xE4\xB8\xAD", "\xF0\x9F\x98\x80", "\xF4\x8F\xBF\xBF", "\xEE\x80\x80"})
        CHECK(first_invalid_utf8(good) == std::string::npos);
    // stray, cut, overlong in 2, 3 and 4 bytes, surrogate, beyond U+10FFFF
    for (const char* bad : {"\x80", "\xC3", "\xC3(", "\xE4\xB8", "\xC0\x80", "\xC1\xBF", "\xE0\x9F\xBF", "\xF0\x8F\xBF\xBF",
                            "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF"})
        CHECK(first_invalid_utf8(std::string("a") + bad) == 1);
    CHECK(utf8::decode("\xF0\x9F\x98\x80", 0).code == 0x1F600);
    CHECK(utf8::printable("a\n\t\x1b[0m\xFF\xC2\x85") == "a\\n\\t\\u001b[0m\\xff\\u0085");
    CHECK(utf8::printable("abcdef", 3) == "abc...");
}

TEST_SUITE_END();

}  // namespace config_document_test
