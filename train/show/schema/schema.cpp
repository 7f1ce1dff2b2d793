#include "train/show/schema/schema.h"

#include "core/base/json_text.h"
#include "train/experiment/experiment.h"
#include "train/study/compare/comparison.h"

namespace attend::schema {

namespace {

using config::Option;
using config::OptionRow;

constexpr const char* dialect = "https://json-schema.org/draft/2020-12/schema";

Json of_type(const char* type) { return {{"type", type}}; }
Json constant(const std::string& value) { return {{"const", value}}; }
Json list_of(Json items) { return {{"type", "array"}, {"items", std::move(items)}}; }

Json bounded(const char* type, const Option& o) {
    Json s = of_type(type);
    if (!o.least.empty())
        s["minimum"] = parse_json<Json>(o.path, o.least);
    if (!o.most.empty())
        s["maximum"] = parse_json<Json>(o.path, o.most);
    return s;
}

Json object_schema(const std::vector<Option>& options);

// The name of a row for short, or an object with the name under the seam's key.
Json selection(const Option& o) {
    Json names = Json::array(), alternatives = Json::array();
    for (const OptionRow& row : o.rows) names.push_back(row.name);
    alternatives.push_back({{"enum", std::move(names)}});
    for (const OptionRow& row : o.rows) {
        Json object = {{"description", row.help}};
        object.update(object_schema(row.options));
        Json properties = {{o.row_key, constant(row.name)}};
        properties.update(object["properties"]);
        object["properties"] = std::move(properties);
        if (row.name != o.fallback)
            object["required"] = Json::array({o.row_key});
        alternatives.push_back(std::move(object));
    }
    return {{"oneOf", std::move(alternatives)}};
}

Json value_schema(const Option& o) {
    switch (o.kind) {
        case Option::Kind::integer:
            return bounded("integer", o);
        case Option::Kind::number:
            return bounded("number", o);
        case Option::Kind::flag:
            return of_type("boolean");
        case Option::Kind::text:
        case Option::Kind::path:
            return of_type("string");
        case Option::Kind::choice:
            return {{"enum", o.words}};
        case Option::Kind::paths:
            return {{"anyOf", Json::array({of_type("string"), list_of(of_type("string"))})}};
        case Option::Kind::numbers: {
            Json s = list_of(bounded("number", o));
            if (o.fixed_length)
                s["minItems"] = s["maxItems"] = parse_json<Json>(o.path, o.value).size();
            return s;
        }
        case Option::Kind::selection:
            return selection(o);
        case Option::Kind::object:
            return object_schema(o.members);
    }
    ensure(false, "schema: no such kind of option: '{}', kind {}", o.path, static_cast<int>(o.kind));
    return {};
}

Json option_schema(const Option& o) {
    Json s = {{"description", o.help}};
    if (!o.value.empty())
        s["default"] = parse_json<Json>(o.path, o.value);
    s.update(o.automatic.empty() ? value_schema(o) : Json{{"anyOf", Json::array({value_schema(o), constant(o.automatic)})}});
    return s;
}

Json object_schema(const std::vector<Option>& options) {
    Json s = of_type("object");
    Json properties = Json::object();
    for (const Option& o : options) properties[o.name] = option_schema(o);
    s["properties"] = std::move(properties);
    s["additionalProperties"] = false;
    return s;
}

Json schema_of(const char* title, const char* what, const std::vector<Option>& options) {
    Json s = {{"$schema", dialect}, {"title", title}, {"description", what}};
    s.update(object_schema(options));
    Json properties = {{"$schema", of_type("string")}};
    properties["$schema"]["description"] = "where editors find this schema; no option of the experiment";
    properties.update(s["properties"]);
    s["properties"] = std::move(properties);
    return s;
}

}  // namespace

Json options_schema(const std::vector<Option>& options) { return object_schema(options); }

Json config_schema() {
    Json s =
        schema_of("attend config", "an experiment: the data, the model, and how it is trained", config::describe<Experiment>());
    s["required"] = {"data", "model"};
    return s;
}

Json comparison_schema() {
    Json s = schema_of("attend comparison", "variants of an experiment, each trained with several seeds",
                       config::describe<compare::ComparisonOptions>());
    const Json variant = {
        {"type", "object"},
        {"description", "key paths of the experiment and their values: {\"model.attention.score\": \"dot\"}"}};
    s["properties"]["variants"] = {{"type", "object"},
                                   {"description", "a name for each variant and what it changes"},
                                   {"minProperties", 1},
                                   {"additionalProperties", variant}};
    const Json values = {{"type", "array"}, {"minItems", 1}, {"uniqueItems", true}};
    s["properties"]["grid"] = {
        {"type", "object"},
        {"description", "key paths of the experiment and lists of values: all combinations are variants"},
        {"minProperties", 1},
        {"additionalProperties", values}};
    Json& base = s["properties"]["base"];
    base.erase("default");
    base.erase("type");
    base["anyOf"] = {of_type("string"), of_type("object")};
    s["properties"]["seeds"]["items"]["type"] = "integer";
    s["properties"]["seeds"]["minItems"] = 1;
    s["required"] = {"base"};
    s["anyOf"] = {{{"required", {"variants"}}}, {{"required", {"grid"}}}};
    return s;
}

}  // namespace attend::schema
