#include "train/config/reader.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <optional>

#include "core/base/pattern.h"
#include "data/text/utf8.h"
#include "train/config/describe.h"
#include "train/config/other_names.h"
#include "train/config/overrides.h"
#include "train/config/utf8.h"
#include "train/config/words.h"

namespace attend::config {

namespace {

struct Problem {
    Place place;
    std::string message;
    // For an unknown key that is like none of its neighbours: its possible names here, and the path
    // of its object.
    std::vector<std::string> strays;
    std::string below;
    std::string assumed;  // of an unknown key: the row that was assumed where none was named
};

std::string below(const std::string& path, const std::string& name) { return path.empty() ? name : path + "." + name; }

// The path of what an element of a list is: "model.attention" of "model.attention.1.0".
std::string without_indices(const std::string& path) {
    std::vector<std::string> parts = parts_of(path, '.');
    std::erase_if(parts, [](const std::string& part) { return is_index(part); });
    return joined(parts, ".");
}

// Where else there is a key of that name: "; it belongs to optimizer sgd" for one of another row,
// "; there is one at train.batch" for others. "" when nowhere.
std::string elsewhere(const std::vector<Option>& options, const std::string& name, const std::string& beside) {
    constexpr std::size_t most = 3;
    std::vector<std::string> paths, rows;
    const auto add = [](std::vector<std::string>& all, const std::string& one) {
        if (!contains(all, one))
            all.push_back(one);
    };
    for (const Listed& l : flat(options)) {
        const std::string& path = l.option->path;
        if (path == below(beside, name))
            add(rows, l.row);  // once, even if several models have it
        else if (path == name || path.ends_with("." + name))
            add(paths, path);
    }
    const std::vector<std::string>& found = rows.empty() ? paths : rows;
    if (found.empty())
        return "";
    const std::vector<std::string> shown(found.begin(), found.begin() + static_cast<int64_t>(std::min(most, found.size())));
    return fmt::format("; {} {}{}", rows.empty() ? "there is one at" : "it belongs to", joined(shown),
                       found.size() > most ? ", ..." : "");
}

std::string elsewhere(const std::vector<Option>& options, const Problem& problem) {
    const std::string beside = without_indices(problem.below);
    for (const std::string& name : problem.strays)
        if (const std::string found = elsewhere(options, name, beside); !found.empty())
            return (name == problem.strays.back() ? "" : fmt::format("; here it is '{}'", name)) + found;
    return "";
}

// How the value of --set is read.
enum class Form {
    json,     // as JSON, or as bare text if it is not JSON ("auto")
    literal,  // as it is
    name,     // as it is, but an object or a quoted text as JSON
    list,     // as it is, but a list as JSON
    pattern,  // as it is, but an object, a list or a quoted text as JSON
};

// "'train' or 'valid'"
std::string either(const std::vector<std::string>& names) { return "'" + joined(names, "' or '") + "'"; }

// "; did you mean 'gru'? known: gru, lstm"
std::string hint_of(const std::string& name, const std::vector<std::string>& known) {
    const std::vector<std::string> near = nearest_names(name, known);
    if (near.empty())
        return known.empty() ? "; there are none" : "; known: " + joined(known);
    return fmt::format("; did you mean {}? known: {}", either(near), joined(known));
}

template <class T>
std::string allowed(const Bounds<T>& b) {
    std::string text = range_text(b);
    if (text.empty())
        text = std::is_integral_v<T> ? fmt::format("{} to {}", b.low, b.high) : "any";
    if (b.automatic != nullptr)
        text += fmt::format(", or '{}'", b.automatic);
    return text;
}

class Reader final : public Visitor {
  public:
    Reader(const Value& object, std::string path, std::vector<Problem>& problems)
        : object_(object), path_(std::move(path)), problems_(problems) {}

    void integer(const char* name, int64_t& value, Bounds<int64_t> bounds, const char*) override {
        const auto v = take(name, Form::json);
        if (!v || is_automatic(*v, bounds.automatic, value))
            return;
        if (const auto n = as_integer(*v, name, bounds); n && in_range(*v, name, *n, bounds))
            value = *n;
    }

    void number(const char* name, double& value, Bounds<double> bounds, const char*) override {
        const auto v = take(name, Form::json);
        if (!v || is_automatic(*v, bounds.automatic, value))
            return;
        if (is_number(*v, name, expected("a number", bounds.automatic)) && in_range(*v, name, v->number, bounds))
            value = v->number;
    }

    void flag(const char* name, bool& value, const char*) override {
        if (const auto v = take(name, Form::json); v && is(Value::Kind::boolean, *v, name, "true or false"))
            value = v->boolean;
    }

    void text(const char* name, std::string& value, const char*) override {
        if (const auto v = take(name, Form::literal); v && is_text(*v, name, "a text"))
            value = v->text;
    }

    void choice(const char* name, std::string& value, std::vector<std::string> words, const char*) override {
        const auto v = take(name, Form::name);
        if (!v || !is(Value::Kind::text, *v, name, "one of " + joined(words)))
            return;
        if (!contains(words, v->text))
            return problem(v->place, name,
                           fmt::format("unknown word: '{}'{}", utf8::printable(v->text, 40), hint_of(v->text, words)));
        value = v->text;
    }

    void path(const char* name, std::string& value, const char*) override {
        if (const auto v = take(name, Form::literal); v && is_text(*v, name, "a path"))
            value = absolute(*v, name);
    }

    void paths(const char* name, std::vector<std::string>& value, const char*) override {
        const auto v = take(name, Form::list);
        if (!v)
            return;
        const bool list = v->kind == Value::Kind::list;
        std::vector<std::string> all;
        for (const Value& written : list ? v->elements : std::vector<Value>{*v}) {
            const Value e = meaning(written, Form::literal).value();
            if (!is_text(e, name, "a path or a list of paths"))
                return;
            if (e.text.empty() && list)
                return problem(e.place, name, fmt::format("empty path: path {} of {}", all.size() + 1, v->elements.size()));
            if (!e.text.empty())
                all.push_back(absolute(e, name));
        }
        value = std::move(all);
    }

    void numbers(const char* name, std::vector<double>& value, Bounds<double> bounds, bool fixed_length, const char*) override {
        const auto v = take(name, Form::json);
        if (!v || !is(Value::Kind::list, *v, name, "a list of numbers"))
            return;
        if (fixed_length && v->elements.size() != value.size())
            return problem(v->place, name,
                           fmt::format("wrong length: {} numbers, expected {}", v->elements.size(), value.size()));
        std::vector<double> all;
        for (const Value& written : v->elements) {
            const auto e = meaning(written, Form::json);
            if (!e || !is_number(*e, name, "a list of numbers") || !in_range(*e, name, e->number, bounds))
                return;
            all.push_back(e->number);
        }
        value = std::move(all);
    }

    void selection(const char* name, Selection& value, const char*) override {
        if (const auto v = take(name, Form::name))
            select(*v, name, value, "");
    }

    // Each element begins with what the default has at its place.
    void pattern(const char* name, Pattern& value, const char*) override {
        const auto v = take(name, Form::pattern);
        if (!v)
            return;
        if (v->kind != Value::Kind::list) {
            if (v->implied && v->elements.empty() && !value.uniform())
                return problem(v->place, name,
                               fmt::format("a list of {} by default: nothing in it can be set alone; set '{}' itself",
                                           std::ssize(value.layers()), below(path_, name)));
            Selection all = value.first();
            select(*v, name, all, "; it is no list here: written [A, B] it has elements 0 and 1");
            value = std::move(all);
            return;
        }
        std::vector<Pattern::Layer> layers;
        for (const Value& written : elements_of(*v, name)) {
            const std::string layer_name = fmt::format("{}.{}", name, layers.size());
            const auto layer = meaning(written, Form::pattern);
            if (!layer)
                return;
            Pattern::Layer& heads = layers.emplace_back();
            const bool list = layer->kind == Value::Kind::list;
            for (const Value& head : list ? elements_of(*layer, layer_name) : std::vector<Value>{*layer}) {
                const std::string head_name = list ? fmt::format("{}.{}", layer_name, heads.size()) : layer_name;
                heads.push_back(value.at(std::ssize(layers) - 1, std::ssize(heads)));
                if (const auto one = meaning(head, Form::name))
                    select(*one, head_name, heads.back(), "");
            }
            if (heads.empty())
                return;
        }
        if (!layers.empty())
            value = Pattern(std::move(layers));
    }

    // Every key that is not in the listing is an error.
    void finish() {
        for (const Member& m : object_.members)
            if (!contains(known_, m.key))
                unknown(m);
    }

  protected:
    void nested(const char* name, FunctionRef<void(Visitor&)> fields, const char*) override {
        const auto v = take(name, Form::json);
        if (!v || !is(Value::Kind::object, *v, name, "an object"))
            return;
        if (!v->elements.empty())
            return wrong_type(v->elements[0], name, "an object");
        Reader inner(*v, below(path_, name), problems_);
        fields(inner);
        inner.finish();
    }

  private:
    // `indices`: the hint for a key that is a number, as of an element in a list.
    void select(const Value& v, const std::string& name, Selection& value, const char* indices) {
        const Seam& seam = value.seam();
        const char* key = seam.key();
        if (v.kind == Value::Kind::text) {
            choose(value, v.text, v.place, name);
            return;
        }
        const char* or_list = *indices == '\0' ? "" : ", or a list of these";
        if (!is(Value::Kind::object, v, name, fmt::format("the name of {} or an object{}", with_article(seam.kind()), or_list)))
            return;
        Reader inner(v, below(path_, name), problems_);
        inner.indices_ = indices;
        // Where the row is not known, nothing is known about the other keys.
        if (const auto type = inner.take(key, Form::name)) {
            if (!inner.is(Value::Kind::text, *type, key, fmt::format("the name of {}", with_article(seam.kind()))) ||
                !inner.choose(value, type->text, type->place, key))
                return;
        } else if (!v.elements.empty()) {
            if (!choose(value, v.elements[0].text, v.elements[0].place, name))
                return;
        } else if (seam.fallback() != nullptr) {
            if (!v.implied && value.name() != seam.fallback())
                value.choose(seam.fallback());
            inner.assumed_ = fmt::format("without '{}' this is {} {}", key, seam.kind(), value.name());
        } else if (!v.implied) {
            return problem(v.place, name, fmt::format("'{}' is missing; known: {}", key, joined(seam.names())));
        }
        value.options().fields(inner);
        inner.finish();
    }

    // The elements of a list, of which there must be one at least.
    const std::vector<Value>& elements_of(const Value& list, const std::string& name) {
        if (list.elements.empty())
            problem(list.place, name, "an empty list: elements 0, at least 1");
        return list.elements;
    }

    // The value of a key, if it is there. A copy, as a word gets its meaning here; configs are
    // small.
    std::optional<Value> take(const char* name, Form form) {
        known_.emplace_back(name);
        const Member* m = object_.find(name);
        if (m == nullptr)
            return std::nullopt;
        return meaning(m->value, form);
    }
    std::optional<Value> meaning(Value v, Form form) {
        if (v.kind != Value::Kind::word)
            return v;
        const char first = v.text.empty() ? '\0' : v.text.front();
        const bool json = form == Form::json || (form == Form::name && (first == '{' || first == '"')) ||
                          (form == Form::list && first == '[') ||
                          (form == Form::pattern && (first == '{' || first == '"' || first == '['));
        const Value word = v;
        v.kind = Value::Kind::text;
        if (!json)
            return v;
        try {
            return parse_word(word);
        } catch (const Error& e) {
            if (first != '{' && first != '[' && first != '"')
                return v;  // a bare word: a type error, or "auto"
            problems_.push_back({v.place, e.what(), {}, "", ""});
            return std::nullopt;
        }
    }

    // Each of these adds the problem where the answer is no.
    bool is(Value::Kind kind, const Value& v, const std::string& name, const std::string& what) {
        if (v.kind != kind)
            wrong_type(v, name, what);
        return v.kind == kind;
    }
    bool is_number(const Value& v, const char* name, const std::string& what) {
        return v.kind == Value::Kind::integer || is(Value::Kind::number, v, name, what);
    }
    template <class T>
    bool in_range(const Value& v, const char* name, T x, const Bounds<T>& bounds) {
        const bool good = x >= bounds.low && x <= bounds.high;
        if (!good)
            out_of_range(v, name, allowed(bounds));
        return good;
    }
    bool is_text(const Value& v, const char* name, const char* what) {
        if (!is(Value::Kind::text, v, name, what))
            return false;
        const auto nul = v.text.find('\0');
        if (nul != std::string::npos)
            problem(v.place, name, fmt::format("NUL character in {}: character {} of {}", what, nul + 1, v.text.size()));
        return nul == std::string::npos;
    }

    template <class T>
    static bool is_automatic(const Value& v, const char* automatic, T& value) {
        if (automatic == nullptr || v.kind != Value::Kind::text || v.text != automatic)
            return false;
        value = 0;
        return true;
    }

    static std::string expected(const char* what, const char* automatic) {
        return automatic == nullptr ? what : fmt::format("{} or '{}'", what, automatic);
    }

    std::optional<int64_t> as_integer(const Value& v, const char* name, const Bounds<int64_t>& bounds) {
        if (v.kind == Value::Kind::integer)
            return v.integer;
        if (v.kind != Value::Kind::number || std::trunc(v.number) != v.number) {
            wrong_type(v, name, expected("an integer", bounds.automatic));
            return std::nullopt;
        }
        // Integers up to 2^53 are exact as doubles; a longer one must be written in digits.
        if (std::abs(v.number) <= 0x1p53)
            return static_cast<int64_t>(v.number);
        if (v.number < static_cast<double>(bounds.low) || v.number > static_cast<double>(bounds.high) ||
            std::abs(v.number) >= 0x1p63)
            out_of_range(v, name, allowed(bounds));
        else
            problem(v.place, name, fmt::format("not exact: value {}, limit 2^53; write all its digits", described(v)));
        return std::nullopt;
    }

    std::string absolute(const Value& v, const char* name) {
        if (v.text.empty())
            return "";
        std::string full = (std::filesystem::path(v.place.source->folder) / v.text).lexically_normal().string();
        // The resolved config must be readable again, and JSON is UTF-8.
        if (const std::size_t bad = first_invalid_utf8(full); bad != std::string_view::npos)
            problem(v.place, name,
                    fmt::format("the absolute path is not UTF-8: byte 0x{:02x} at offset {}",
                                static_cast<unsigned char>(full[bad]), bad));
        return full;
    }

    // Chooses a row; the row that is chosen already keeps its options.
    bool choose(Selection& value, const std::string& row, const Place& place, const std::string& name) {
        const Seam& seam = value.seam();
        if (!seam.has(row)) {
            problem(place, name,
                    fmt::format("unknown {}: '{}'{}", seam.kind(), utf8::printable(row, 40), hint_of(row, seam.names())));
            return false;
        }
        if (row != value.name())
            value.choose(row);
        return true;
    }

    void unknown(const Member& m) {
        const std::vector<std::string> ours = our_names(m.key);
        std::vector<std::string> here = ours;
        std::erase_if(here, [&](const std::string& name) { return !contains(known_, name); });
        const std::vector<std::string> near = nearest_names(m.key, known_);
        const std::string hint = is_index(m.key) && !indices_.empty() ? indices_
                                 : !here.empty()                      ? fmt::format("; here it is {}", either(here))
                                 : ours.empty() && !near.empty()      ? fmt::format("; did you mean {}?", either(near))
                                 : known_.empty()                     ? "; there are none"
                                                                      : "; known: " + joined(known_);
        problem(m.place, utf8::printable(m.key), "unknown key" + hint);
        problems_.back().assumed = assumed_;
        if (!here.empty() || (ours.empty() && !near.empty()))
            return;
        problems_.back().strays = ours;
        problems_.back().strays.push_back(m.key);
        problems_.back().below = path_;
    }

    void problem(const Place& place, const std::string& name, const std::string& message) {
        problems_.push_back({place, fmt::format("{}: {}: {}", place.text(), below(path_, name), message), {}, "", ""});
    }
    void wrong_type(const Value& v, const std::string& name, const std::string& what) {
        problem(v.place, name, fmt::format("wrong type: expected {}, got {}", what, described(v)));
    }
    void out_of_range(const Value& v, const char* name, const std::string& range) {
        problem(v.place, name, fmt::format("out of range: value {}, allowed {}", described(v), range));
    }

    const Value& object_;
    std::string path_;
    std::vector<Problem>& problems_;
    std::vector<std::string> known_;
    std::string indices_;  // what is said of a key that is a number; "" where nothing more than of others
    std::string assumed_;  // "without 'type' this is KIND ROW", where the object names no row
};

}  // namespace

void read_fields(const Value& object, FunctionRef<void(Visitor&)> fields) {
    std::vector<Problem> problems;
    Reader reader(object, "", problems);
    fields(reader);
    reader.finish();
    if (problems.empty())
        return;

    const auto rank = [](const Problem& p) {
        const bool on_command_line = p.place.source->kind == Source::Kind::command_line;
        return std::pair(on_command_line, on_command_line ? 0 : p.place.line);
    };
    std::stable_sort(problems.begin(), problems.end(), [&](const Problem& a, const Problem& b) { return rank(a) < rank(b); });
    constexpr std::size_t most = 20;
    const std::vector<Option> options = describe_fields(fields);
    std::string all;
    for (std::size_t i = 0; i < std::min(most, problems.size()); ++i) {
        all += (i ? "\n" : "") + problems[i].message;
        if (!problems[i].strays.empty())
            all += elsewhere(options, problems[i]);
        if (!problems[i].assumed.empty())
            all += (all.ends_with('?') ? " " : "; ") + problems[i].assumed;
    }
    if (problems.size() > most)
        all += fmt::format("\n... and {} more", problems.size() - most);
    throw Error(all);
}

}  // namespace attend::config
