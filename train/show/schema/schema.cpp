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

class SchemaWriter {
  public:
    Json object(const std::vector<Option>& options) {
        Json s = of_type("object");
        Json properties = Json::object();
        for (const Option& o : options) properties[o.name] = option(o);
        s["properties"] = std::move(properties);
        s["additionalProperties"] = false;
        return s;
    }
    // What stands in several places, by the name that "$ref" gives.
    Json definitions = Json::object();

  private:
    Json option(const Option& o) {
        Json s = {{"description", o.help}};
        if (!o.value.empty())
            s["default"] = parse_json<Json>(o.path, o.value);
        s.update(o.automatic.empty() ? value(o) : Json{{"anyOf", Json::array({value(o), constant(o.automatic)})}});
        return s;
    }

    Json value(const Option& o) {
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
                return o.pattern ? pattern(o) : selection(o);
            case Option::Kind::object:
                return object(o.members);
            case Option::Kind::list:  // of chosen rows alone
                break;
        }
        ensure(false, "schema: no such kind of option: '{}', kind {}", o.path, static_cast<int>(o.kind));
        return {};
    }

    // The name of a row for short, or an object with the name under the seam's key.
    Json selection(const Option& o) {
        Json names = Json::array(), alternatives = Json::array();
        for (const OptionRow& row : o.rows) names.push_back(row.name);
        alternatives.push_back({{"enum", std::move(names)}});
        for (const OptionRow& row : o.rows) {
            Json one = {{"description", row.help}};
            one.update(object(row.options));
            Json properties = {{o.row_key, constant(row.name)}};
            properties.update(one["properties"]);
            one["properties"] = std::move(properties);
            if (row.name != o.fallback)
                one["required"] = Json::array({o.row_key});
            alternatives.push_back(std::move(one));
        }
        return {{"oneOf", std::move(alternatives)}};
    }

    // A selection, or a list of selections and of lists of them.
    Json pattern(const Option& o) {
        const Json one = defined(o.name, selection(o));
        const Json layer = {{"oneOf", Json::array({one, filled_list_of(one)})}};
        return {{"oneOf", Json::array({one, filled_list_of(layer)})}};
    }
    static Json filled_list_of(const Json& items) {
        Json list = list_of(items);
        list["minItems"] = 1;
        return list;
    }
    // A reference to the schema. Equal ones have one definition; others of that name get a number.
    Json defined(const std::string& name, const Json& schema) {
        std::string unique = name;
        for (int i = 2; definitions.contains(unique) && definitions[unique] != schema; ++i)
            unique = fmt::format("{}-{}", name, i);
        definitions[unique] = schema;
        return {{"$ref", "#/$defs/" + unique}};
    }
};

Json schema_of(const char* title, const char* what, const std::vector<Option>& options) {
    Json s = {{"$schema", dialect}, {"title", title}, {"description", what}};
    s.update(options_schema(options));
    Json properties = {{"$schema", of_type("string")}};
    properties["$schema"]["description"] = "where editors find this schema; no option of the experiment";
    properties.update(s["properties"]);
    s["properties"] = std::move(properties);
    return s;
}

}  // namespace

Json options_schema(const std::vector<Option>& options) {
    SchemaWriter writer;
    Json s = writer.object(options);
    if (!writer.definitions.empty())
        s["$defs"] = std::move(writer.definitions);
    return s;
}

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
