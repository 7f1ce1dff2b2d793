// The one reader of JSON: what is no JSON and what is nested without end.
#include "core/base/json_text.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "tests/data/test_files.h"

namespace json_text_test {

using namespace attend;
using Json = nlohmann::ordered_json;

namespace {

std::string times(int n, const std::string& text) {
    std::string all;
    for (int i = 0; i < n; ++i) all += text;
    return all;
}

std::string complaint_of(const std::string& text) {
    try {
        parse_json<Json>("x.json", text);
        parse_json<nlohmann::json>("x.json", text);
    } catch (const Error& e) {
        return e.what();
    }
    return "";
}

}  // namespace

TEST_SUITE("json text") {
    TEST_CASE("as deep as the limit is read, one deeper is refused with the place where") {
        CHECK(complaint_of(times(64, "[") + times(64, "]")) == "");
        CHECK(complaint_of(times(65, "[") + times(65, "]")) ==
              "x.json: nested too deeply: depth 65, limit 64, line 1, byte 65 of 130");
        CHECK(complaint_of(times(100, "{\"a\":\n") + "1" + times(100, "}")) ==
              "x.json: nested too deeply: depth 65, limit 64, line 65, byte 385 of 701");
        // a million levels, ended or not
        CHECK(complaint_of(times(1'000'000, "[")).starts_with("x.json: nested too deeply: depth 65, limit 64"));
        CHECK(json_if_valid<Json>(times(1'000'000, "[") + times(1'000'000, "]")) == std::nullopt);
    }
    TEST_CASE("brackets that stand in texts, or side by side, are no depth") {
        CHECK(complaint_of("[\"" + times(1000, "[") + "\"]") == "");
        CHECK(complaint_of("[\"\\\"" + times(1000, "{[") + "\\\\\"]") == "");
        CHECK(complaint_of("[" + times(1000, "[],") + "{}]") == "");
    }
    TEST_CASE("a syntax error names line and column, and not the rest of the file") {
        CHECK(complaint_of("{\n\"a\" 1}") ==
              "x.json: not JSON: 8 bytes, line 2, column 5: syntax error while parsing object separator - unexpected number "
              "literal; expected ':'");
        CHECK(complaint_of("").starts_with("x.json: not JSON: 0 bytes, line 1, column 1: "));
        CHECK(complaint_of("1e999") == "x.json: not JSON: 5 bytes, number out of range: largest 1.797e308");
        CHECK(complaint_of("[\"" + times(100'000, "a") + "\n\"]").size() < 300);
        CHECK(complaint_of("[\"; expected \x1b[31m\n\"]").find('\x1b') == std::string::npos);
        CHECK(json_if_valid<Json>("{") == std::nullopt);
        CHECK(json_if_valid<Json>("{\"b\": 1, \"a\": 2}")->dump() == "{\"b\":1,\"a\":2}");
        CHECK(parse_json<nlohmann::json>("x", "{\"b\": 1, \"a\": 2}").dump() == "{\"a\":2,\"b\":1}");
    }
    TEST_CASE("a file has a limit of bytes, too") {
        const TestFiles files;
        const std::string path = files.write("a.json", "[1, 2]");
        CHECK(load_json<Json>(path, 6).size() == 2);
        std::string said;
        try {
            load_json<Json>(path, 5);
        } catch (const Error& e) {
            said = e.what();
        }
        CHECK(said == path + ": file is too large: size 6 bytes, limit 5 bytes");
    }
}

}  // namespace json_text_test
