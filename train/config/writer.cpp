#include "train/config/writer.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>

#include "data/text/utf8.h"
#include "train/config/describe.h"
#include "train/config/utf8.h"

namespace attend::config {

namespace {

using Options = std::vector<Option>;

bool is_list(const Option& o) { return o.kind == Option::Kind::list; }
std::string key_of(const Option& outer, const Option& member) { return is_list(outer) ? "" : in_quotes(member.name) + ": "; }

std::string on_one_line(const Option& o) {
    if (!o.has_members())
        return o.value;
    std::string text;
    for (const Option& m : o.members) text += (text.empty() ? "" : ", ") + key_of(o, m) + on_one_line(m);
    return is_list(o) ? "[" + text + "]" : "{" + text + "}";
}

constexpr std::size_t columns = 100;

std::string print(const Option& o, std::size_t indent) {
    std::string text;
    for (const Option& m : o.members) {
        const std::string key = std::string(indent + 2, ' ') + key_of(o, m);
        std::string value = on_one_line(m);
        if (!m.members.empty() && key.size() + value.size() >= columns)
            value = print(m, indent + 2);
        text += (text.empty() ? "" : ",\n") + key + value;
    }
    if (text.empty())
        return "{}";
    text = "\n" + text + "\n" + std::string(indent, ' ');
    return is_list(o) ? "[" + text + "]" : "{" + text + "}";
}

const Option* find(const Options& options, const std::string& name) {
    const auto found = std::ranges::find(options, name, &Option::name);
    return found == options.end() ? nullptr : &*found;
}

// A selection as a config has it: the row's name, or an object with the options that are not the row's defaults.
std::string with_options(const Option& selection) {
    const std::string row = selection.value.substr(1, selection.value.size() - 2);
    const std::unique_ptr<AnyOptions> defaults = selection.table->defaults(row);
    const Options usual = describe_fields([&](Visitor& v) { defaults->fields(v); }, SeamRows::chosen);
    std::string options;
    for (const Option& o : selection.members) {
        const Option* same = find(usual, o.name);
        if (o.name != selection.row_key && (same == nullptr || on_one_line(*same) != on_one_line(o)))
            options += ", " + key_of(selection, o) + (o.row_key.empty() || is_list(o) ? on_one_line(o) : with_options(o));
    }
    return options.empty() ? selection.value : "{" + in_quotes(selection.row_key) + ": " + selection.value + options + "}";
}

class Comparer {
  public:
    explicit Comparer(Rows rows) : rows_(rows) {}

    void compare(const Options& before, const Options& after) {
        for (const Option& a : before) compare(&a, find(after, a.name));
        for (const Option& b : after)
            if (find(before, b.name) == nullptr)
                compare(nullptr, &b);
    }

    std::vector<Difference> all;

  private:
    // Null: only the other side has it.
    void compare(const Option* a, const Option* b) {
        const Option &one = a ? *a : *b, &other = b ? *b : *a;
        const bool both = a && b, inside = one.has_members() && other.has_members();
        const std::string before = a ? on_one_line(*a) : "", after = b ? on_one_line(*b) : "";
        if (both && (is_list(*a) || is_list(*b)) && alike(*a, *b))
            return compare_lists(*a, *b);
        const bool other_row = inside && !one.row_key.empty() && one.row_key == other.row_key && one.value != other.value;
        if (other_row && rows_ == Rows::alone)
            all.push_back({one.members[0].path, one.value, other.value});
        else if (other_row)
            all.push_back({one.path, one.value, with_options(other)});
        else if (inside && both && !(is_list(one) && is_list(other)))
            compare(a->members, b->members);
        else if (before != after)
            all.push_back({one.path, before, after});
    }

    // Whether the elements of one correspond to the other's, or to the other itself: what stands in
    // place of a list stands for each of its elements.
    static bool alike(const Option& a, const Option& b) {
        return !is_list(a) || !is_list(b) || a.members.size() == b.members.size();
    }
    void compare_lists(const Option& a, const Option& b) {
        const Options& elements = is_list(a) ? a.members : b.members;
        for (std::size_t i = 0; i < elements.size(); ++i) {
            const Option before = is_list(a) ? a.members[i] : moved(a, elements[i].path);
            const Option after = is_list(b) ? b.members[i] : moved(b, elements[i].path);
            compare(&before, &after);
        }
    }

    Rows rows_;
};

}  // namespace

std::string number_text(double value) {
    ensure(std::isfinite(value), "config: a number that is not finite cannot be written: value {}", value);
    std::array<char, 32> text;
    const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
    return {text.data(), end};
}

std::string in_quotes(std::string_view text) {
    if (const std::size_t bad = first_invalid_utf8(text); bad != std::string_view::npos)
        ensure(false, "config: a text that is not UTF-8 cannot be written: '{}', byte {}", utf8::printable(text), bad);
    return nlohmann::json(std::string(text)).dump();
}

std::string write_fields(FunctionRef<void(Visitor&)> fields) {
    Option all;
    all.members = describe_fields(fields, SeamRows::chosen);
    return print(all, 0) + "\n";
}

std::vector<Difference> differences_of_fields(FunctionRef<void(Visitor&)> before, FunctionRef<void(Visitor&)> after,
                                              Rows rows) {
    Comparer comparer(rows);
    comparer.compare(describe_fields(before, SeamRows::chosen), describe_fields(after, SeamRows::chosen));
    return std::move(comparer.all);
}

}  // namespace attend::config
