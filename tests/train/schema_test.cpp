// The schema of a config says what the reader accepts: shipped configs pass it, broken ones do not.
// And the listing for people: docs/options.md is what the program prints, and every key with a
// letter dropped is answered with the right one.
#include "train/show/schema/schema.h"

#include <doctest/doctest.h>

#include <cmath>
#include <filesystem>
#include <set>

#include "tests/train/mixer_samples.h"
#include "tests/train/run_support.h"
#include "train/config/writer.h"
#include "train/show/schema/listing.h"

namespace schema_test {

TEST_SUITE_BEGIN("train: schema");

using namespace attend;
using attend::testing::contains;
using attend::testing::message_of;
using config::Option;
using config::OptionRow;

namespace {

// A validator of the keywords that the schema uses, and of no others. Gives the first breach as
// "path: keyword", or "".
std::string breach(const Json& schema, const Json& value, const std::string& path = "");

bool of_type(const Json& value, const std::string& type) {
    if (type == "integer")
        return value.is_number_integer() || (value.is_number_float() && std::trunc(value.get<double>()) == value.get<double>());
    if (type == "number")
        return value.is_number();
    if (type == "boolean")
        return value.is_boolean();
    if (type == "string")
        return value.is_string();
    if (type == "array")
        return value.is_array();
    REQUIRE(type == "object");
    return value.is_object();
}

int alternatives_met(const Json& schemas, const Json& value, const std::string& path) {
    int met = 0;
    for (const Json& s : schemas) met += breach(s, value, path).empty() ? 1 : 0;
    return met;
}

bool keyword_holds(const Json& schema, const std::string& keyword, const Json& rule, const Json& value, const std::string& path,
                   std::string& inner) {
    const auto recurse = [&](const Json& s, const Json& v, const std::string& name) {
        if (inner.empty())
            inner = breach(s, v, path.empty() ? name : path + "." + name);
    };
    if (keyword == "type")
        return of_type(value, rule);
    if (keyword == "const")
        return value == rule;
    if (keyword == "enum")
        return std::find(rule.begin(), rule.end(), value) != rule.end();
    if (keyword == "minimum")
        return !value.is_number() || value >= rule;
    if (keyword == "maximum")
        return !value.is_number() || value <= rule;
    if (keyword == "minItems")
        return !value.is_array() || value.size() >= rule;
    if (keyword == "maxItems")
        return !value.is_array() || value.size() <= rule;
    if (keyword == "anyOf")
        return alternatives_met(rule, value, path) >= 1;
    if (keyword == "oneOf")
        return alternatives_met(rule, value, path) == 1;
    if (keyword == "items") {
        if (value.is_array())
            for (std::size_t i = 0; i < value.size(); ++i) recurse(rule, value[i], std::to_string(i));
        return true;
    }
    if (keyword == "required")
        return !value.is_object() || std::all_of(rule.begin(), rule.end(), [&](const Json& k) { return value.contains(k); });
    if (keyword == "properties") {
        if (value.is_object())
            for (const auto& [key, s] : rule.items())
                if (value.contains(key))
                    recurse(s, value[key], key);
        return true;
    }
    if (keyword == "additionalProperties") {
        REQUIRE((rule == false || rule.is_object()));
        if (value.is_object())
            for (const auto& [key, v] : value.items()) {
                if (schema.contains("properties") && schema["properties"].contains(key))
                    continue;
                if (rule == false)
                    return false;
                recurse(rule, v, key);
            }
        return true;
    }
    if (keyword == "minProperties")
        return !value.is_object() || value.size() >= rule;
    const std::set<std::string> says_nothing = {"$schema", "title", "description", "default"};
    INFO("keyword ", keyword);
    REQUIRE(says_nothing.contains(keyword));
    return true;
}

std::string breach(const Json& schema, const Json& value, const std::string& path) {
    for (const auto& [keyword, rule] : schema.items()) {
        std::string inner;
        if (!keyword_holds(schema, keyword, rule, value, path, inner))
            return path + ": " + keyword;
        if (!inner.empty())
            return inner;
    }
    return "";
}

// The schema with its definitions in place of the references to them.
Json expanded(Json schema, const Json& definitions) {
    if (schema.is_object() && schema.contains("$ref")) {
        const std::string name = schema["$ref"].get<std::string>().substr(std::string("#/$defs/").size());
        REQUIRE(definitions.contains(name));
        return expanded(definitions[name], definitions);
    }
    if (schema.is_structured())
        for (Json& inner : schema) inner = expanded(std::move(inner), definitions);
    return schema;
}
Json expanded(Json schema) {
    const Json definitions = schema.value("$defs", Json::object());
    schema.erase("$defs");
    return expanded(std::move(schema), definitions);
}

Json parsed(const std::string& text) { return Json::parse(text, nullptr, true, true); }

std::vector<std::filesystem::path> shipped_configs() {
    std::vector<std::filesystem::path> all;
    for (const auto& entry : std::filesystem::directory_iterator(std::filesystem::path(ATTEND_SOURCE_DIR) / "configs"))
        if (entry.path().extension() == ".json")
            all.push_back(entry.path());
    return all;
}

// A config that holds nothing but `inner` and the way to it.
struct Way {
    std::string before, after;
    std::string around(const std::string& inner) const { return before + inner + after; }
    Way through(const std::string& text) const { return {before + text, "}" + after}; }
};

std::string last_part(const std::string& path) { return path.substr(path.rfind('.') + 1); }

struct Walk {
    int checked = 0, ambiguous = 0;
    std::vector<std::string> wrong;

    void keys(const std::vector<std::string>& names, const Way& way) {
        for (const std::string& name : names)
            for (std::size_t i = 0; i < name.size() && name.size() > 1; ++i) {
                std::string shorter = name;
                shorter.erase(i, 1);
                if (std::find(names.begin(), names.end(), shorter) != names.end())
                    continue;
                const std::string message = samples::error_of<Experiment>(way.around("\n\n\"" + shorter + "\": null\n"));
                ++checked;
                const std::size_t hint = message.find("; did you mean ");
                const bool line =
                    contains(message, "x.json:3: ") && contains(message, shorter + ": unknown key; did you mean ");
                if (!line || !contains(message.substr(hint), "'" + name + "'"))
                    wrong.push_back(name + " as " + shorter + ": " + message);
                ambiguous += hint != std::string::npos && contains(message.substr(hint), "' or '") ? 1 : 0;
            }
    }

    void options(const std::vector<Option>& all, const Way& way, const std::string& row_key) {
        std::vector<std::string> names;
        if (!row_key.empty())
            names.push_back(row_key);
        for (const Option& o : all) names.push_back(last_part(o.path));
        keys(names, way);
        for (const Option& o : all) {
            const std::string open = "\"" + last_part(o.path) + "\": {";
            if (o.kind == Option::Kind::object)
                options(o.members, way.through(open), "");
            for (const OptionRow& row : o.rows)
                options(row.options, way.through(open + "\"" + o.row_key + "\": \"" + row.name + "\", "), o.row_key);
        }
    }
};

}  // namespace

TEST_CASE("the validator of these tests fails what it should") {
    const Json s = parsed(R"({"type": "object", "required": ["a"], "additionalProperties": false,
        "properties": {"a": {"oneOf": [{"type": "integer", "minimum": 1, "maximum": 3}, {"const": "auto"}]},
                       "b": {"type": "array", "items": {"enum": ["x", "y"]}, "minItems": 1, "maxItems": 2},
                       "c": {"anyOf": [{"type": "string"}, {"type": "boolean"}, {"type": "number"}]}}})");
    for (const char* good : {R"({"a": 1})", R"({"a": 3.0, "b": ["x"], "c": true})", R"({"a": "auto", "c": 0.5})"})
        CHECK_MESSAGE(breach(s, parsed(good)).empty(), good);
    for (const char* bad :
         {"[]", "{}", R"({"a": 0})", R"({"a": 4})", R"({"a": 1.5})", R"({"a": "auot"})", R"({"a": 1, "d": 1})",
          R"({"a": 1, "b": []})", R"({"a": 1, "b": ["x", "y", "x"]})", R"({"a": 1, "b": ["z"]})", R"({"a": 1, "c": null})"})
        CHECK_MESSAGE(!breach(s, parsed(bad)).empty(), bad);
}

TEST_CASE("the schema of a comparison") {
    const Json schema = schema::comparison_schema();
    const auto of = [&](const char* text) { return breach(schema, parsed(text)); };
    CHECK(
        of(R"({"$schema": "x", "name": "n", "base": "b.json", "seeds": [1], "variants": {"a": {}, "b": {"train.steps": 3}}})") ==
        "");
    CHECK(
        of(R"({"base": {"model": "gpt"}, "variants": {"a": {}}, "compare": {"threshold": "none", "collapsed": "auto", "steps": [5]}})") ==
        "");
    CHECK(of(R"({"base": 3, "variants": {"a": {}}})") == "base: anyOf");
    CHECK(of(R"({"base": "b", "variants": {}})") == "variants: minProperties");
    CHECK(of(R"({"base": "b", "variants": {"a": 1}})") == "variants.a: type");
    CHECK(of(R"({"base": "b", "seeds": [1.5], "variants": {"a": {}}})") == "seeds.0: type");
    CHECK(of(R"({"base": "b", "variants": {"a": {}}, "sedes": []})") == ": additionalProperties");
    CHECK(of(R"({"variants": {"a": {}}})") == ": required");
    CHECK(of(R"({"base": "b", "variants": {"a": {}}, "compare": {"split": "dev"}})") == "compare.split: enum");
}

TEST_CASE("every shipped config passes the schema, and so does every resolved one") {
    const Json schema = expanded(schema::config_schema());
    CHECK(schema["$schema"] == "https://json-schema.org/draft/2020-12/schema");
    int checked = 0;
    for (const std::filesystem::path& path : shipped_configs()) {
        CAPTURE(path.string());
        const Json config = parsed(read_file(path, 1 << 20));
        if (config.contains("variants")) {  // a comparison is not an experiment
            CHECK(breach(schema::comparison_schema(), config) == "");
            continue;
        }
        CHECK(breach(schema, config) == "");
        CHECK(breach(schema, parsed(config::write(read_experiment(path.string(), {})))) == "");
        ++checked;
    }
    CHECK(checked >= 2);
    CHECK(breach(schema, parsed(testing::small_config)) == "");
    CHECK(breach(schema, parsed(config::write(Experiment()))) == "");
}

TEST_CASE("what the reader refuses the schema refuses, and the other way round") {
    const Json schema = expanded(schema::config_schema());
    const std::string whole = R"({"$schema": "s.json", "data": "dates", "model": {"type": "rnn_seq2seq", "attention": {"score":
        {"type": "additive"}}}, "optimizer": {"type": "adam", "betas": [0.9, 0.999]}, "train": {"steps": 5, "shards": "auto"}})";
    REQUIRE(breach(schema, parsed(whole)) == "");
    struct Change {
        const char *from, *to;
        bool good = false;
    };
    const Change changes[] = {
        {R"("data": "dates",)", ""},
        {R"("dates")", R"("dtaes")"},
        {R"("dates")", R"({"train_examples": 5})"},
        {R"("dates")", R"({"task": "dates", "train_examples": 5})", true},
        {R"("dates")", R"({"task": "dates", "train_examples": 0})"},
        {R"("dates")", R"({"task": "dates", "symbols": 4})"},
        {R"("dates")", R"({"type": "dates"})"},
        {R"("dates")", R"({"task": "parallel", "train": "a", "unit": "char"})", true},
        {R"("dates")", R"({"task": "parallel", "train": ["a", "b"], "unit": {"type": "word"}})", true},
        {R"("dates")", R"({"task": "parallel", "train": ["a", 2]})"},
        {R"("additive")", R"("aditive")"},
        {R"({"type": "additive"})", R"("dot")", true},
        {R"([0.9, 0.999])", "[0.9]"},
        {R"([0.9, 0.999])", "[0.9, 1.5]"},
        {R"([0.9, 0.999])", "0.9"},
        {R"("steps": 5)", R"("steps": 5.5)"},
        {R"("steps": 5)", R"("steps": 5.0)", true},
        {R"("steps": 5)", R"("steps": 0)"},
        {R"("steps": 5)", R"("steps": "5")"},
        {R"("steps": 5)", R"("stesp": 5)"},
        {R"("auto")", R"("atuo")"},
        {R"("auto")", "3", true},
        {R"("auto")", "true"},
        {R"("train": {)", R"("train": {"evaluate_decode": false, )", true},
        {R"("train": {)", R"("train": {"evaluate_decode": 0, )"},
        {R"("train": {)", R"("trian": {)"},
        {R"("s.json")", "5"},
    };
    const oracles::TemporaryFolder folder;
    for (const Change& c : changes) {
        std::string text = whole;
        const std::size_t at = text.find(c.from);
        REQUIRE(at != std::string::npos);
        text.replace(at, std::string(c.from).size(), c.to);
        CAPTURE(text);
        CHECK(breach(schema, parsed(text)).empty() == c.good);
        const std::filesystem::path file = folder / "c.json";
        std::ofstream(file) << text;
        CHECK(message_of([&] { (void)read_experiment(file.string(), {}); }).empty() == c.good);
    }
}

TEST_CASE("the schema of a seam with a fallback row: the reader and it accept the same") {
    const Json schema = schema::options_schema(config::describe<samples::MixerBlock>());
    struct Case {
        const char* text;
        bool good;
    };
    for (const auto& [text, good] :
         {Case{R"({"mixer": {}})", true}, Case{R"({"mixer": {"width": 3}})", true},
          Case{R"({"mixer": {"type": "weighted", "width": 3}})", true}, Case{R"({"mixer": "linear"})", true},
          Case{R"({"mixer": {"type": "linear", "decay": 0}})", true}, Case{R"({"mixer": {"decay": 0}})", false},
          Case{R"({"mixer": {"type": "linear", "width": 3}})", false}, Case{R"({"mixer": {"select": {"samples": 3}}})", false},
          Case{R"({"mixer": {"type": 3}})", false}}) {
        CAPTURE(text);
        CHECK(breach(schema, parsed(text)).empty() == good);
        CHECK(samples::error_of<samples::MixerBlock>(text).empty() == good);
    }
}

TEST_CASE("the schema of lists of layers and heads: the reader and it accept the same") {
    const Json whole = schema::options_schema(config::describe<samples::MixerStack>());
    CHECK(whole["$defs"].size() == 1);
    const Json schema = expanded(whole);
    struct Case {
        const char* mixer;
        bool good;
    };
    for (const auto& [mixer, good] :
         {Case{R"("linear")", true}, Case{R"({"width": 3})", true}, Case{R"(["linear", "none"])", true},
          Case{R"(["linear", {"width": 3}, {"type": "linear", "decay": 0}])", true}, Case{R"([["linear", {}], "none"])", true},
          Case{R"([["linear"]])", true}, Case{"[]", false}, Case{"[[]]", false}, Case{R"(["liner"])", false},
          Case{R"([[["linear"]]])", false}, Case{R"([{"decay": 1}])", false}, Case{R"([["none", {"width": 0}]])", false},
          Case{"[3]", false}, Case{"3", false}}) {
        const std::string text = fmt::format("{{\"mixer\": {}}}", mixer);
        CAPTURE(text);
        CHECK(breach(schema, parsed(text)).empty() == good);
        CHECK(samples::error_of<samples::MixerStack>(text).empty() == good);
    }
    // of two options with other defaults there are two definitions
    struct Other {
        Pattern mixer{samples::mixers(), "weighted"};
        void fields(Visitor& v) { v.pattern("mixer", mixer, ""); }
    };
    struct Three {
        samples::MixerStack a, b;
        Other c;
        void fields(Visitor& v) {
            v.object("a", a, "");
            v.object("b", b, "");
            v.object("c", c, "");
        }
    };
    const Json three = schema::options_schema(config::describe<Three>());
    CHECK(three["$defs"].size() == 2);
    CHECK(three["$defs"].contains("mixer-2"));
    CHECK(breach(expanded(three), parsed(R"({"a": {"mixer": ["none"]}, "c": {"mixer": [["none", {"width": 2}]]}})")) == "");
}

TEST_CASE("every key with a letter dropped is answered with the right one, and the line") {
    Walk walk;
    walk.options(config::describe<Experiment>(), {"{", "}"}, "");
    CHECK(walk.checked > 500);
    for (const std::string& w : walk.wrong) FAIL_CHECK(w);
    MESSAGE(walk.checked << " misspelt keys, " << walk.ambiguous << " with several suggestions");
}

TEST_CASE("docs/options.md is what the program prints") {
    const std::string page = schema::options_page();
    for (const Seam* seam : schema::seams_by_kind())
        for (const std::string& name : seam->names()) CHECK(contains(page, "### " + std::string(seam->kind()) + " " + name));
    const bool same = read_file(std::filesystem::path(ATTEND_SOURCE_DIR) / "docs/options.md", 1 << 22) == page;
    CHECK_MESSAGE(same, "out of date; make it again: attend list --markdown > docs/options.md");
}

TEST_CASE("lists of one seam, one row and the keys of a config") {
    const Seam* optimizer = nullptr;
    for (const Seam* seam : schema::seams_by_kind())
        if (seam->kind() == std::string("optimizer"))
            optimizer = seam;
    REQUIRE(optimizer != nullptr);
    const std::string row = schema::row_text(*optimizer, "adam");
    CHECK(contains(row, "optimizer adam: "));
    CHECK(contains(row, "learning_rate"));
    CHECK(contains(row, "0 to 1000; default 0.001"));
    CHECK(contains(message_of([&] { (void)schema::row_text(*optimizer, "adma"); }), "did you mean 'adam'?"));
    CHECK(contains(schema::option_text("train"), "train.batch"));
    CHECK(contains(schema::option_text("train.batch"), "default 32"));
    CHECK(!contains(schema::option_text("train.batch"), "train.shards"));
    CHECK(schema::option_text("trian").empty());
    const Json json = schema::seam_json(*optimizer);
    CHECK(json["key"] == "type");
    CHECK(json["rows"].size() == optimizer->names().size());
    for (const Json& r : json["rows"])
        for (const Json& o : r["options"]) CHECK(!o["help"].get<std::string>().empty());
}

TEST_SUITE_END();

}  // namespace schema_test
