#include "train/show/schema/listing.h"

#include <algorithm>
#include <map>

#include "core/base/json_text.h"
#include "train/config/writer.h"
#include "train/experiment/experiment.h"
#include "train/study/compare/comparison.h"

namespace attend::schema {

namespace {

using config::leaves;
using config::Option;
using config::OptionRow;
using config::value_text;
using Json = nlohmann::ordered_json;

bool is_fallback(const Seam& seam, const std::string& row) { return seam.fallback() != nullptr && row == seam.fallback(); }
std::string fallback_note(const Seam& seam, const std::string& row) {
    return is_fallback(seam, row) ? fmt::format(" (also meant by an object without '{}')", seam.key()) : "";
}

// How an object names the row, where its key is not `type`.
std::string object_note(const Seam& seam, const std::string& row) {
    return std::string(seam.key()) == "type" ? "" : fmt::format(R"({{"{}": "{}", ...}})", seam.key(), row);
}

// The options of one row, with paths relative to it.
std::vector<Option> row_options(const Seam& seam, const std::string& row) {
    const std::unique_ptr<AnyOptions> defaults = seam.defaults(row);
    return config::describe_fields([&](Visitor& v) { defaults->fields(v); });
}

// The options that the default row of a selection has with other defaults than elsewhere.
std::vector<const Option*> own_defaults(const Option& selection) {
    std::vector<const Option*> others;
    for (const OptionRow& row : selection.rows) {
        if (config::in_quotes(row.name) != selection.value)
            continue;
        const std::vector<Option> usual = row_options(*selection.table, row.name);
        const std::vector<const Option*> here = leaves(row.options), there = leaves(usual);
        for (std::size_t i = 0; i < here.size(); ++i)
            if (here[i]->value != there[i]->value)
                others.push_back(here[i]);
    }
    return others;
}

// The path of an option below a selection or an object.
std::string path_in(const Option& outer, const Option& inner) { return inner.path.substr(outer.path.size() + 1); }

std::string lines_of(const std::vector<const Option*>& options) {
    std::string text;
    for (const Option* o : options) {
        text += fmt::format("  {:<24} {}; default {}\n  {:<24} {}\n", o->path, value_text(*o), o->value, "", o->help);
        std::string others;
        for (const Option* own : own_defaults(*o))
            others += fmt::format("{} {} {}", others.empty() ? ", here" : ",", path_in(*o, *own), own->value);
        if (!o->seam.empty())
            text += fmt::format("  {:<24} attend list {} lists them{}\n", "", o->seam, others);
    }
    return text;
}

// The text in lines of at most 100 columns; `margin` stands before all lines but the first. No line
// begins with a sign that Markdown could read as a list, and no code span is cut.
std::string wrapped(const std::string& text, const std::string& margin) {
    constexpr std::size_t columns = 100;
    std::vector<std::string> units;  // what no line break divides
    for (std::size_t begin = 0; begin < text.size();) {
        const std::size_t end = std::min(text.find(' ', begin), text.size());
        const std::string word = text.substr(begin, end - begin);
        const bool inside = !units.empty() && std::ranges::count(units.back(), '`') % 2 != 0;
        if (!units.empty() && (inside || word.empty() || std::string_view("-+*#>=|").find(word[0]) != std::string_view::npos))
            units.back() += ' ' + word;
        else
            units.push_back(word);
        begin = end + 1;
    }
    std::string all, line;
    for (const std::string& unit : units) {
        if (line.empty() || line.size() + 1 + unit.size() <= columns) {
            line += (line.empty() ? "" : " ") + unit;
        } else {
            all += line + "\n";
            line = margin + unit;
        }
    }
    return all + line + "\n";
}

std::string with_default(const std::string& name, const Option& o) { return fmt::format("`{}` (default `{}`)", name, o.value); }

// "; here `score` (default `"dot"`), `width` (default `8`)"
void add_here(std::string& others, const std::string& name, const Option& o) {
    others += (others.empty() ? "; here " : ", ") + with_default(name, o);
}

// Blocks that several rows have are printed once: an object with the same options in several
// places, and an option that several rows of a seam have with the same values and the same meaning;
// defaults may differ.
class Page {
  public:
    std::string text;

    void paragraph(const std::string& words) { text += wrapped(words, "") + "\n"; }
    void items(const std::vector<Option>& options) {
        for (const Option& o : options) item(o);
        text += options.empty() ? "" : "\n";
    }
    void seam(const Seam& seam) {
        const std::string kind = seam.kind();
        std::vector<std::vector<Option>> rows;
        std::map<std::string, int> count;
        for (const std::string& name : seam.names()) {
            rows.push_back(row_options(seam, name));
            for (const Option& o : rows.back()) ++count[meaning(o)];
        }
        std::vector<Option> shared;
        for (const auto& row : rows)
            for (const Option& o : row)
                if (count[meaning(o)] > 1 && named(shared, o.name) == nullptr)
                    shared.push_back(o);
        text += "## " + kind + "\n\n";
        if (const std::string object = object_note(seam, "NAME"); !object.empty())
            paragraph(fmt::format("As an object: `{}`.", object));
        if (!shared.empty())
            text += fmt::format("### {}: shared options\n\n", kind);
        items(shared);
        for (std::size_t i = 0; i < rows.size(); ++i) {
            const std::string name = seam.names()[i];
            text += fmt::format("### {} {}\n\n", kind, name);
            paragraph(
                fmt::format("{}.{}", seam.help(name),
                            is_fallback(seam, name) ? fmt::format(" An object without `{}` means this row.", seam.key()) : ""));
            std::string others;
            for (const Option& o : rows[i])
                if (const Option* s = named(shared, o.name); s == nullptr || meaning(*s) != meaning(o))
                    item(o);
                else
                    others +=
                        (others.empty() ? "" : ", ") +
                        (s->value == o.value && here(*s) == here(o) ? "`" + o.name + "`" : with_default(o.name, o) + here(o));
            if (!others.empty())
                text += wrapped(fmt::format("- [shared options](#{}-shared-options): {}", kind, others), "  ");
            text += rows[i].empty() ? "" : "\n";
        }
    }
    // Knows the objects of all rows, of which items() then prints a reference.
    void collect_objects() {
        std::map<std::string, std::vector<Option>> same;
        for (const Seam* s : seams_by_kind())
            for (const std::string& name : s->names())
                for (const Option& o : row_options(*s, name))
                    if (o.kind == Option::Kind::object)
                        same[meanings(o.members)].push_back(o);
        for (const auto& [meanings, places] : same)
            if (places.size() > 1)
                objects_[meanings] = *std::ranges::min_element(places, {}, [](const Option& o) { return o.name.size(); });
    }
    void objects() {
        for (const auto& [meanings, object] : objects_) {
            text += fmt::format("### object {}\n\n", object.name);
            for (Option o : object.members) {
                o.path = o.name;
                item(o);
            }
            text += "\n";
        }
    }

  private:
    static const Option* named(const std::vector<Option>& options, const std::string& name) {
        for (const Option& o : options)
            if (o.name == name)
                return &o;
        return nullptr;
    }
    // Everything but the default. An object has several defaults, which are included.
    static std::string meaning(const Option& o) {
        std::string all = o.name + "\n" + value_text(o) + "\n" + o.help + "\n";
        for (const Option& m : o.members) all += meaning(m) + m.value + "\n";
        return all;
    }
    static std::string meanings(const std::vector<Option>& options) {
        std::string all;
        for (const Option& o : options) all += meaning(o);
        return all;
    }

    // What the default row of a selection has in place of its own defaults.
    static std::string here(const Option& o) {
        std::string others;
        for (const Option* own : own_defaults(o)) add_here(others, path_in(o, *own), *own);
        return others;
    }

    void item(const Option& o) {
        const auto object = objects_.find(meanings(o.members));
        if (o.kind == Option::Kind::object && object == objects_.end()) {
            for (const Option& m : o.members) item(m);
            return;
        }
        if (o.kind == Option::Kind::object) {
            std::string others;
            for (std::size_t i = 0; i < o.members.size(); ++i)
                if (o.members[i].value != object->second.members[i].value)
                    add_here(others, o.members[i].name, o.members[i]);
            const std::string& name = object->second.name;
            text += wrapped(fmt::format("- `{}` ([object {}](#object-{})): {}{}", o.path, name, name, o.help, others), "  ");
            return;
        }
        std::string value = value_text(o);
        if (!o.seam.empty())
            value.replace(0, o.seam.size(), fmt::format("[{}](#{})", o.seam, o.seam));
        text += wrapped(fmt::format("- `{}` ({}; default `{}`): {}{}", o.path, value, o.value, o.help, here(o)), "  ");
    }

    std::map<std::string, Option> objects_;
};

}  // namespace

std::vector<const Seam*> seams_by_kind() {
    std::map<std::string, const Seam*> by_kind;
    for (const Seam* s : all_seams()) by_kind.emplace(s->kind(), s);
    std::vector<const Seam*> seams;
    for (const auto& [kind, seam] : by_kind) seams.push_back(seam);
    return seams;
}

std::string seam_text(const Seam& seam) {
    std::string text = fmt::format("{}\n", seam.kind());
    for (const std::string& name : seam.names())
        text += fmt::format("  {:<20} {}{}\n", name, seam.help(name), fallback_note(seam, name));
    return text;
}

std::string row_text(const Seam& seam, const std::string& row) {
    const std::vector<Option> options = row_options(seam, row);
    std::string text = fmt::format("{} {}: {}{}\n", seam.kind(), row, seam.help(row), fallback_note(seam, row));
    if (const std::string object = object_note(seam, row); !object.empty() && !options.empty())
        text += "  as an object: " + object + "\n";
    return text + (options.empty() ? "  no options\n" : lines_of(leaves(options)));
}

std::string option_text(const std::string& path) {
    std::vector<Option> options = config::describe<Experiment>();
    for (const Option& o : config::describe<compare::ComparisonOptions>())
        if (o.name == "compare")
            options.push_back(o);
    std::vector<const Option*> found = leaves(options);
    std::erase_if(found, [&](const Option* o) { return o->path != path && !o->path.starts_with(path + "."); });
    return found.empty() ? "" : path + "\n" + lines_of(found);
}

Json seam_json(const Seam& seam) {
    Json rows = Json::array();
    for (const std::string& name : seam.names()) {
        Json listed = Json::array();
        const std::vector<Option> options = row_options(seam, name);
        for (const Option* o : leaves(options)) {
            Json& option = listed.emplace_back();
            option = {{"path", o->path},
                      {"value", value_text(*o)},
                      {"default", parse_json<Json>(o->path, o->value)},
                      {"help", o->help}};
            if (!o->seam.empty())
                option["seam"] = o->seam;
        }
        rows.push_back({{"name", name}, {"help", seam.help(name)}, {"options", std::move(listed)}});
    }
    const Json fallback = seam.fallback() == nullptr ? Json(nullptr) : Json(seam.fallback());
    return {{"key", seam.key()}, {"fallback", fallback}, {"rows", std::move(rows)}};
}

std::string options_page() {
    Page page;
    page.collect_objects();
    page.text = "# Options\n\n";
    page.paragraph(
        "All options of a config. `attend list --markdown` makes this page from the program's own tables, and a test fails "
        "when it is out of date. A key with dots stands in nested objects: `train.batch` is `{\"train\": {\"batch\": 32}}` in "
        "a config, and `--set train.batch=32` on the command line. Where the value is a row of a table below, `\"schedule\": "
        "\"cosine\"` is short for `\"schedule\": {\"type\": \"cosine\"}`; the options of that row stand beside `type` (for a "
        "task: beside `task`). Where a list can stand in place of one row, `[A, B]` gives layer i of a stack element i modulo "
        "the "
        "length, and a list in it, as `[[A, B], C]`, gives the heads of its layer in the same way; `[[A, B]]` is for the heads "
        "of all layers. A key path names an element by its number, from 0: `model.attention.0.score`. Options that several "
        "rows of a table share are described once, at the head of the table; each "
        "row names those that it has, with its own default where that is another. `attend schema` prints all of this as a JSON "
        "Schema. A config may name the schema under `$schema`, which the program ignores.");
    std::vector<Option> root = config::describe<Experiment>();
    const auto train = std::find_if(root.begin(), root.end(), [](const Option& o) { return o.name == "train"; });
    page.text += "## train\n\n";
    page.items(train->members);
    root.erase(train);
    page.text += "## The other keys of a config\n\n";
    page.items(root);
    page.text += "## Comparison\n\n";
    page.paragraph(
        "The config of a comparison (`attend compare`) has the keys below, and `variants`, `grid` or both. `variants` has a "
        "name "
        "for each variant, with key paths and values as for `--set`, as in `\"variants\": {\"soft\": {}, \"dot\": "
        "{\"model.attention.score\": \"dot\"}}`. `grid` has lists of values, and each combination of them is a variant: "
        "`\"grid\": {\"optimizer.learning_rate\": [0.001, 0.003], \"model.hidden\": [32, 64]}` makes "
        "`learning_rate=0.001,hidden=32` and three others, named by the last words of the keys (by more of them where two keys "
        "end alike). With both, each of the variants is combined with the grid (`soft,hidden=32`). The reference is then the "
        "combination of the first variant (without variants: of the base) that changes nothing, or its first one. "
        "`attend schema --comparison` prints the schema.");
    page.items(config::describe<compare::ComparisonOptions>());
    page.text += "## Objects\n\n";
    page.paragraph("Objects that are used in several places, with their options.");
    page.objects();
    for (const Seam* seam : seams_by_kind()) page.seam(*seam);
    page.text.pop_back();
    return page.text;
}

}  // namespace attend::schema
