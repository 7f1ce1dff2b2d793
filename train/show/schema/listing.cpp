#include "train/show/schema/listing.h"

#include <algorithm>

#include "core/base/json_text.h"
#include "train/study/compare/comparison.h"
#include "train/experiment/experiment.h"

namespace attend::schema {

namespace {

using config::Option;
using Json = nlohmann::ordered_json;

// "integer, 1 to 64, or "auto"", "gru or lstm", "a score"
std::string value_text(const Option& o) {
    std::string text = config::kind_name(o.kind);
    if (!o.words.empty()) {
        text = "";
        for (const std::string& w : o.words) text += (text.empty() ? "" : " or ") + w;
    }
    if (!o.seam.empty())
        text = o.seam;
    if (o.fixed_length)
        text += fmt::format(" ({} of them)", parse_json<Json>(o.path, o.initial).size());
    if (!o.range.empty())
        text += ", " + o.range;
    if (!o.automatic.empty())
        text += fmt::format(", or \"{}\"", o.automatic);
    return text;
}

// The options that hold a value: an object gives way to its members; the rows of selections are listed elsewhere.
void collect(const std::vector<Option>& options, std::vector<const Option*>& all) {
    for (const Option& o : options)
        if (o.kind == Option::Kind::object)
            collect(o.members, all);
        else
            all.push_back(&o);
}
std::vector<const Option*> values_of(const std::vector<Option>& options) {
    std::vector<const Option*> all;
    collect(options, all);
    return all;
}

std::string lines_of(const std::vector<const Option*>& options) {
    std::string text;
    for (const Option* o : options) {
        text += fmt::format("  {:<24} {}; default {}\n  {:<24} {}\n", o->path, value_text(*o), o->initial, "", o->help);
        if (!o->seam.empty())
            text += fmt::format("  {:<24} attend list {} lists them\n", "", o->seam);
    }
    return text;
}

std::string escaped(const std::string& text) {
    std::string cell;
    for (const char c : text) cell += c == '|' ? std::string("\\|") : std::string(1, c);
    return cell;
}

std::string table_of(const std::vector<const Option*>& options) {
    if (options.empty())
        return "No options.\n";
    std::string text = "| key | value | default | meaning |\n|---|---|---|---|\n";
    for (const Option* o : options) {
        const std::string value = o->seam.empty() ? escaped(value_text(*o)) : fmt::format("[{}](#{})", o->seam, o->seam);
        text += fmt::format("| `{}` | {} | `{}` | {} |\n", o->path, value, escaped(o->initial), escaped(o->help));
    }
    return text;
}

}  // namespace

std::vector<const Seam*> seams_by_kind() {
    std::vector<const Seam*> seams;
    for (const Seam* s : all_seams())
        if (std::none_of(seams.begin(), seams.end(), [&](const Seam* t) { return std::string(t->kind()) == s->kind(); }))
            seams.push_back(s);
    std::sort(seams.begin(), seams.end(), [](const Seam* a, const Seam* b) { return std::string(a->kind()) < b->kind(); });
    return seams;
}

std::vector<Option> row_options(const Seam& seam, const std::string& row) {
    const std::unique_ptr<AnyOptions> defaults = seam.defaults(row);
    return config::describe_fields([&](Visitor& v) { defaults->fields(v); });
}

std::string seam_text(const Seam& seam) {
    std::string text = fmt::format("{}\n", seam.kind());
    for (const std::string& name : seam.names()) text += fmt::format("  {:<20} {}\n", name, seam.help(name));
    return text;
}

std::string row_text(const Seam& seam, const std::string& row) {
    const std::vector<Option> options = row_options(seam, row);
    std::string text = fmt::format("{} {}: {}\n", seam.kind(), row, seam.help(row));
    return text + (options.empty() ? "  no options\n" : lines_of(values_of(options)));
}

std::string option_text(const std::string& path) {
    const std::vector<Option> options = config::describe<Experiment>(),
                              comparison = config::describe<compare::ComparisonOptions>();
    std::vector<const Option*> found;
    for (const Option* o : values_of(options))
        if (o->path == path || o->path.starts_with(path + "."))
            found.push_back(o);
    for (const Option* o : values_of(comparison))
        if (o->path.starts_with("compare.") && (o->path == path || o->path.starts_with(path + ".")))
            found.push_back(o);
    return found.empty() ? "" : path + "\n" + lines_of(found);
}

Json seam_json(const Seam& seam) {
    Json rows = Json::array();
    for (const std::string& name : seam.names()) {
        Json row;
        row["name"] = name;
        row["help"] = seam.help(name);
        row["options"] = Json::array();
        const std::vector<Option> options = row_options(seam, name);
        for (const Option* o : values_of(options)) {
            Json option;
            option["path"] = o->path;
            option["value"] = value_text(*o);
            option["default"] = parse_json<Json>(o->path, o->initial);
            option["help"] = o->help;
            if (!o->seam.empty())
                option["seam"] = o->seam;
            row["options"].push_back(std::move(option));
        }
        rows.push_back(std::move(row));
    }
    Json table;
    table["key"] = seam.key();
    table["rows"] = std::move(rows);
    return table;
}

std::string options_page() {
    std::string page =
        "# Options\n\n"
        "Everything that a config can say. Made by `attend list --markdown` from the program's own tables; a test fails where "
        "it is\n"
        "out of date. A key with dots stands in nested objects: `train.batch` is `{\"train\": {\"batch\": 32}}`, and\n"
        "`--set train.batch=32` on the command line. Where the value is a name of a table below, `\"schedule\": \"cosine\"` is "
        "short for\n"
        "`\"schedule\": {\"type\": \"cosine\"}`, and the options of that row stand beside `type` (beside `task` for tasks).\n"
        "`attend schema` prints the same as a JSON Schema; a config may name it under `$schema`, which is read past.\n\n"
        "## Config\n\n";
    const std::vector<Option> root = config::describe<Experiment>();
    page += table_of(values_of(root));
    page +=
        "\n## Comparison\n\n"
        "The config of a comparison (`attend compare`): a base, what variants change, and these. `\"variants\": {\"soft\": {}, "
        "\"dot\": {\"model.attention.score\": \"dot\"}}`:\n"
        "a name for each, with key paths and values as `--set` has them. `attend schema --comparison` prints the schema.\n\n";
    const std::vector<Option> comparison = config::describe<compare::ComparisonOptions>();
    page += table_of(values_of(comparison));
    for (const Seam* seam : seams_by_kind()) {
        page += fmt::format("\n## {}\n", seam->kind());
        for (const std::string& name : seam->names()) {
            const std::vector<Option> options = row_options(*seam, name);
            page += fmt::format("\n### {} {}\n\n{}.\n", seam->kind(), name, escaped(seam->help(name)));
            if (!options.empty())
                page += "\n" + table_of(values_of(options));
        }
    }
    return page;
}

}  // namespace attend::schema
