#include "train/config/describe.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <tuple>
#include <utility>

#include "core/base/json_text.h"
#include "core/base/pattern.h"
#include "train/config/writer.h"

namespace attend::config {

namespace {

constexpr int deepest_selection = 16;

std::string json_of(int64_t x) { return std::to_string(x); }
std::string json_of(double x) { return number_text(x); }
std::string json_of(const std::string& s) { return in_quotes(s); }

template <class T>
std::string json_of(const std::vector<T>& items) {
    std::string all;
    for (const T& item : items) all += (all.empty() ? "" : ", ") + json_of(item);
    return "[" + all + "]";
}

// The names of the rows: "dot", or ["dot", ["linear", "none"]].
std::string names_of(const Pattern& pattern) {
    if (pattern.uniform())
        return in_quotes(pattern.first().name());
    std::string all;
    for (const Pattern::Layer& heads : pattern.layers()) {
        std::vector<std::string> names;
        for (const Selection& head : heads) names.push_back(head.name());
        all += (all.empty() ? "" : ", ") + (names.size() == 1 ? in_quotes(names[0]) : json_of(names));
    }
    return "[" + all + "]";
}

// The lowest and the highest value as JSON; "" where there is no bound.
template <class T>
std::pair<std::string, std::string> ends_of(const Bounds<T>& b) {
    return {b.low == std::numeric_limits<T>::lowest() ? "" : json_of(b.low),
            b.high == std::numeric_limits<T>::max() ? "" : json_of(b.high)};
}

std::string range_of(const std::pair<std::string, std::string>& ends) {
    const auto& [least, most] = ends;
    if (!least.empty() && !most.empty())
        return least + " to " + most;
    return !least.empty() ? "at least " + least : !most.empty() ? "at most " + most : "";
}

constexpr const char* list_text = ", or a list by layer (a list in it: by head)";

class Describer final : public Visitor {
  public:
    Describer(std::string path, int depth, SeamRows rows) : path_(std::move(path)), depth_(depth), rows_(rows) {}

    void integer(const char* name, int64_t& value, Bounds<int64_t> bounds, const char* help) override {
        single(name, Option::Kind::integer, value, bounds, help);
    }
    void number(const char* name, double& value, Bounds<double> bounds, const char* help) override {
        single(name, Option::Kind::number, value, bounds, help);
    }
    void flag(const char* name, bool& value, const char* help) override {
        add(name, Option::Kind::flag, value ? "true" : "false", help);
    }
    void text(const char* name, std::string& value, const char* help) override {
        add(name, Option::Kind::text, in_quotes(value), help);
    }
    void choice(const char* name, std::string& value, std::vector<std::string> words, const char* help) override {
        add(name, Option::Kind::choice, in_quotes(value), help).words = std::move(words);
    }
    void path(const char* name, std::string& value, const char* help) override {
        add(name, Option::Kind::path, in_quotes(value), help);
    }
    void paths(const char* name, std::vector<std::string>& value, const char* help) override {
        add(name, Option::Kind::paths, value.size() == 1 ? in_quotes(value[0]) : json_of(value), help);
    }
    void numbers(const char* name, std::vector<double>& value, Bounds<double> bounds, bool fixed_length,
                 const char* help) override {
        Option& o = add(name, Option::Kind::numbers, json_of(value), help);
        o.fixed_length = fixed_length;
        bound(o, bounds);
    }
    void selection(const char* name, Selection& value, const char* help) override { select(name, value, help); }
    void pattern(const char* name, Pattern& value, const char* help) override {
        if (rows_ == SeamRows::chosen && !value.uniform()) {
            list(name, value.layers(), help);
            return;
        }
        Option& o = select(name, value, help);
        o.pattern = true;
        o.value = names_of(value);
    }

    std::vector<Option> all;

  protected:
    void nested(const char* name, FunctionRef<void(Visitor&)> fields, const char* help) override {
        Option& o = add(name, Option::Kind::object, "", help);
        Describer inner(o.path, depth_, rows_);
        fields(inner);
        o.members = std::move(inner.all);
    }

  private:
    Option& add(const std::string& name, Option::Kind kind, std::string value, const char* help) {
        Option& o = all.emplace_back();
        o.name = name;
        o.path = path_.empty() ? name : path_ + "." + name;
        o.kind = kind;
        o.value = std::move(value);
        o.help = help;
        return o;
    }
    Option& select(const std::string& name, const Pattern& value, const char* help) {
        const Seam& seam = value.seam();
        Option& o = add(name, Option::Kind::selection, in_quotes(value.first().name()), help);
        ensure(depth_ < deepest_selection, "config: selections nest too deeply at '{}': depth {}, limit {}", o.path, depth_ + 1,
               deepest_selection);
        o.seam = seam.kind();
        o.table = &seam;
        o.row_key = seam.key();
        o.fallback = seam.fallback() == nullptr ? "" : seam.fallback();
        Describer inner(o.path, depth_ + 1, rows_);
        if (rows_ == SeamRows::chosen) {
            inner.add(seam.key(), Option::Kind::choice, o.value, "");
            value.first().options().copy()->fields(inner);
            o.members = std::move(inner.all);
            return o;
        }
        for (const std::string& row : seam.names()) {
            // A row that is chosen by default may have defaults of its own here.
            const Selection* chosen = first_of(value, row);
            const auto defaults = chosen != nullptr ? chosen->options().copy() : seam.defaults(row);
            defaults->fields(inner);
            o.rows.push_back(OptionRow{row, seam.help(row), std::exchange(inner.all, {})});
        }
        return o;
    }
    static const Selection* first_of(const Pattern& pattern, const std::string& row) {
        for (const Pattern::Layer& heads : pattern.layers())
            for (const Selection& head : heads)
                if (head.name() == row)
                    return &head;
        return nullptr;
    }

    // Layers or heads, in which not all are the same.
    template <class T>
    void list(const std::string& name, const std::vector<T>& elements, const char* help) {
        Option& o = add(name, Option::Kind::list, "", help);
        Describer inner(o.path, depth_, rows_);
        for (std::size_t i = 0; i < elements.size(); ++i) inner.element(std::to_string(i), elements[i], help);
        o.members = std::move(inner.all);
    }
    void element(const std::string& name, const Selection& head, const char* help) { select(name, head, help); }
    void element(const std::string& name, const Pattern::Layer& heads, const char* help) {
        if (heads.size() == 1)
            select(name, heads[0], help);
        else
            list(name, heads, help);
    }

    template <class T>
    static void bound(Option& o, const Bounds<T>& bounds) {
        o.automatic = bounds.automatic != nullptr ? bounds.automatic : "";
        std::tie(o.least, o.most) = ends_of(bounds);
    }
    template <class T>
    void single(const char* name, Option::Kind kind, T value, const Bounds<T>& bounds, const char* help) {
        const bool automatic = bounds.automatic != nullptr && value == 0;
        bound(add(name, kind, automatic ? in_quotes(bounds.automatic) : json_of(value), help), bounds);
    }

    std::string path_;
    int depth_;
    SeamRows rows_;
};

void flatten(const std::vector<Option>& options, const std::string& row, std::vector<Listed>& all) {
    for (const Option& o : options) {
        all.push_back({&o, row});
        flatten(o.members, row, all);
        for (const OptionRow& r : o.rows) flatten(r.options, o.seam + " " + r.name, all);
    }
}

}  // namespace

std::vector<Option> describe_fields(FunctionRef<void(Visitor&)> fields, SeamRows rows) {
    Describer describer("", 0, rows);
    fields(describer);
    return std::move(describer.all);
}

Option moved(Option option, const std::string& path) {
    const auto move_all = [&](std::vector<Option>& options) {
        for (Option& o : options) o = moved(std::move(o), path + o.path.substr(option.path.size()));
    };
    move_all(option.members);
    for (OptionRow& row : option.rows) move_all(row.options);
    option.path = path;
    return option;
}

std::vector<const Option*> leaves(const std::vector<Option>& options) {
    std::vector<const Option*> all;
    for (const Option& o : options)
        if (!o.has_members())
            all.push_back(&o);
        else
            for (const Option* m : leaves(o.members)) all.push_back(m);
    return all;
}

std::vector<std::string> paths_of(FunctionRef<void(Visitor&)> fields) {
    std::vector<std::string> all;
    const std::vector<Option> options = describe_fields(fields, SeamRows::chosen);
    for (const Option* o : leaves(options)) {
        if (o->kind != Option::Kind::path && o->kind != Option::Kind::paths)
            continue;
        const auto value = parse_json<nlohmann::json>(o->path, o->value);
        for (const auto& path : value.is_array() ? value : nlohmann::json::array({value}))
            if (!path.get_ref<const std::string&>().empty())
                all.push_back(path);
    }
    return all;
}

std::vector<Listed> flat(const std::vector<Option>& options) {
    std::vector<Listed> all;
    flatten(options, "", all);
    return all;
}

std::string value_text(const Option& o) {
    static constexpr const char* kinds[] = {
        "integer",         "number",         "true or false", "text",  "word", "path", "path or list of paths",
        "list of numbers", "name or object", "list",          "object"};
    std::string text = o.seam.empty() ? kinds[static_cast<int>(o.kind)] : o.seam;
    if (o.pattern)
        text += list_text;
    if (!o.words.empty())
        text = fmt::format("{}", fmt::join(o.words, " or "));
    if (o.fixed_length)
        text = fmt::format("list of {} numbers", 1 + std::count(o.value.begin(), o.value.end(), ','));
    if (const std::string range = range_of({o.least, o.most}); !range.empty())
        text += ", " + range;
    return o.automatic.empty() ? text : text + fmt::format(", or \"{}\"", o.automatic);
}

std::string range_text(const Bounds<int64_t>& bounds) { return range_of(ends_of(bounds)); }
std::string range_text(const Bounds<double>& bounds) { return range_of(ends_of(bounds)); }

}  // namespace attend::config
