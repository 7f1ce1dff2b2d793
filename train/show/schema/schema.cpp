#include "train/show/schema/schema.h"

#include "core/base/json_text.h"
#include "train/study/compare/comparison.h"
#include "train/experiment/experiment.h"

namespace attend::schema {

namespace {

using config::Option;
using config::OptionRow;

constexpr const char* dialect = "https://json-schema.org/draft/2020-12/schema";

Json of_type(const char* type) {
    Json s;
    s["type"] = type;
    return s;
}

Json bounded(const char* type, const Option& o) {
    Json s = of_type(type);
    if (!o.least.empty())
        s["minimum"] = parse_json<Json>(o.path, o.least);
    if (!o.most.empty())
        s["maximum"] = parse_json<Json>(o.path, o.most);
    return s;
}

Json constant(const std::string& value) {
    Json s;
    s["const"] = value;
    return s;
}

Json any_of(std::vector<Json> alternatives) {
    Json s;
    s["anyOf"] = std::move(alternatives);
    return s;
}

Json list_of(Json items) {
    Json s = of_type("array");
    s["items"] = std::move(items);
    return s;
}

// The name of a row for short, or an object with the name under the seam's key.
Json selection(const Option& o) {
    std::vector<Json> alternatives;
    Json names = Json::array();
    for (const OptionRow& row : o.rows) names.push_back(row.name);
    Json short_form;
    short_form["enum"] = std::move(names);
    alternatives.push_back(std::move(short_form));
    for (const OptionRow& row : o.rows) {
        Json object;
        object["description"] = row.help;
        object.update(object_schema(row.options));
        Json properties;
        properties[o.row_key] = constant(row.name);
        properties.update(object["properties"]);
        object["properties"] = std::move(properties);
        object["required"] = Json::array({o.row_key});
        alternatives.push_back(std::move(object));
    }
    Json s;
    s["oneOf"] = std::move(alternatives);
    return s;
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
        case Option::Kind::choice: {
            Json s;
            s["enum"] = o.words;
            return s;
        }
        case Option::Kind::paths:
            return any_of({of_type("string"), list_of(of_type("string"))});
        case Option::Kind::numbers: {
            Json s = list_of(bounded("number", o));
            if (o.fixed_length)
                s["minItems"] = s["maxItems"] = parse_json<Json>(o.path, o.initial).size();
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

// The last part of a key path.
std::string own_name(const Option& o) { return o.path.substr(o.path.rfind('.') + 1); }

Json option_schema(const Option& o) {
    Json s;
    s["description"] = o.help;
    if (!o.initial.empty())
        s["default"] = parse_json<Json>(o.path, o.initial);
    s.update(o.automatic.empty() ? value_schema(o) : any_of({value_schema(o), constant(o.automatic)}));
    return s;
}

}  // namespace

Json object_schema(const std::vector<Option>& options) {
    Json s = of_type("object");
    Json properties = Json::object();
    for (const Option& o : options) properties[own_name(o)] = option_schema(o);
    s["properties"] = std::move(properties);
    s["additionalProperties"] = false;
    return s;
}

namespace {

Json schema_of(const char* title, const char* what, const std::vector<Option>& options) {
    Json s;
    s["$schema"] = dialect;
    s["title"] = title;
    s["description"] = what;
    s.update(object_schema(options));
    Json properties;
    properties["$schema"] = of_type("string");
    properties["$schema"]["description"] = "where this schema is found, for editors; says nothing about the experiment";
    properties.update(s["properties"]);
    s["properties"] = std::move(properties);
    return s;
}

}  // namespace

Json config_schema() {
    Json s = schema_of("attend config", "an experiment: what is learnt, by what, and how", config::describe<Experiment>());
    s["required"] = {"data", "model"};
    return s;
}

Json comparison_schema() {
    Json s = schema_of("attend comparison", "variants of an experiment, each trained with several seeds",
                       config::describe<compare::ComparisonOptions>());
    Json variant = of_type("object");
    variant["description"] = "key paths of the experiment and their values: {\"model.attention.score\": \"dot\"}";
    Json variants = of_type("object");
    variants["description"] = "a name for each variant and what it changes";
    variants["minProperties"] = 1;
    variants["additionalProperties"] = std::move(variant);
    Json& base = s["properties"]["base"];
    base.erase("default");
    base.erase("type");
    base["anyOf"] = {of_type("string"), of_type("object")};
    s["properties"]["seeds"]["items"]["type"] = "integer";
    s["properties"]["seeds"]["minItems"] = 1;
    s["properties"]["variants"] = std::move(variants);
    s["required"] = {"base", "variants"};
    return s;
}

}  // namespace attend::schema
