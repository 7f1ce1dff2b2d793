#include "train/config/describe.h"

#include "train/config/writer.h"

namespace attend::config {

namespace {

constexpr int deepest_selection = 16;

std::string bound_text(int64_t b) { return std::to_string(b); }
std::string bound_text(double b) { return number_text(b); }

template <class T>
std::string range_of(const Bounds<T>& b) {
    const bool low = b.low != std::numeric_limits<T>::lowest(), high = b.high != std::numeric_limits<T>::max();
    if (low && high)
        return bound_text(b.low) + " to " + bound_text(b.high);
    if (low)
        return "at least " + bound_text(b.low);
    if (high)
        return "at most " + bound_text(b.high);
    return "";
}

class Describer final : public Visitor {
  public:
    Describer(std::string path, int depth) : path_(std::move(path)), depth_(depth) {}

    void integer(const char* name, int64_t& value, Bounds<int64_t> bounds, const char* help) override {
        bounded(add(name, Option::Kind::integer, help), bounds,
                bounds.automatic != nullptr && value == 0 ? in_quotes(bounds.automatic) : std::to_string(value));
    }
    void number(const char* name, double& value, Bounds<double> bounds, const char* help) override {
        bounded(add(name, Option::Kind::number, help), bounds,
                bounds.automatic != nullptr && value == 0 ? in_quotes(bounds.automatic) : number_text(value));
    }
    void flag(const char* name, bool& value, const char* help) override {
        add(name, Option::Kind::flag, help).initial = value ? "true" : "false";
    }
    void text(const char* name, std::string& value, const char* help) override {
        add(name, Option::Kind::text, help).initial = in_quotes(value);
    }
    void choice(const char* name, std::string& value, std::vector<std::string> words, const char* help) override {
        Option& o = add(name, Option::Kind::choice, help);
        o.initial = in_quotes(value);
        o.words = std::move(words);
    }
    void path(const char* name, std::string& value, const char* help) override {
        add(name, Option::Kind::path, help).initial = in_quotes(value);
    }
    void paths(const char* name, std::vector<std::string>& value, const char* help) override {
        std::string all;
        for (const std::string& p : value) all += (all.empty() ? "" : ", ") + in_quotes(p);
        add(name, Option::Kind::paths, help).initial = "[" + all + "]";
    }
    void numbers(const char* name, std::vector<double>& value, Bounds<double> bounds, bool fixed_length,
                 const char* help) override {
        Option& o = add(name, Option::Kind::numbers, help);
        std::string all;
        for (double x : value) all += (all.empty() ? "" : ", ") + number_text(x);
        o.fixed_length = fixed_length;
        bounded(o, bounds, "[" + all + "]");
    }
    void selection(const char* name, Selection& value, const char* help) override {
        ensure(depth_ < deepest_selection, "config: selections nest too deeply at '{}': depth {}, limit {}", joined(name),
               depth_ + 1, deepest_selection);
        Option& o = add(name, Option::Kind::selection, help);
        o.initial = in_quotes(value.name());
        o.seam = value.seam().kind();
        o.row_key = value.seam().key();
        for (const std::string& row : value.seam().names()) {
            // The row that is chosen by default may have defaults of its own here.
            const auto defaults = row == value.name() ? value.options().copy() : value.seam().defaults(row);
            Describer inner(o.path, depth_ + 1);
            defaults->fields(inner);
            o.rows.push_back(OptionRow{row, value.seam().help(row), inner.take()});
        }
    }

    std::vector<Option> take() { return std::move(all_); }

  protected:
    void nested(const char* name, FunctionRef<void(Visitor&)> fields, const char* help) override {
        Option& o = add(name, Option::Kind::object, help);
        Describer inner(o.path, depth_);
        fields(inner);
        o.members = inner.take();
    }

  private:
    std::string joined(const char* name) const { return path_.empty() ? name : path_ + "." + name; }
    Option& add(const char* name, Option::Kind kind, const char* help) {
        Option o;
        o.path = joined(name);
        o.kind = kind;
        o.help = help;
        all_.push_back(std::move(o));
        return all_.back();
    }
    template <class T>
    static void bounded(Option& o, const Bounds<T>& bounds, std::string initial) {
        o.initial = std::move(initial);
        o.range = range_of(bounds);
        if (bounds.automatic != nullptr)
            o.automatic = bounds.automatic;
        if (bounds.low != std::numeric_limits<T>::lowest())
            o.least = bound_text(bounds.low);
        if (bounds.high != std::numeric_limits<T>::max())
            o.most = bound_text(bounds.high);
    }

    std::string path_;
    int depth_;
    std::vector<Option> all_;
};

void flatten(const std::vector<Option>& options, const std::string& row, std::vector<Listed>& all) {
    for (const Option& o : options) {
        all.push_back({&o, row});
        flatten(o.members, row, all);
        for (const OptionRow& r : o.rows) flatten(r.options, o.seam + " " + r.name, all);
    }
}

void print(const std::vector<Option>& options, std::size_t indent, std::string& text) {
    const std::string margin(indent, ' ');
    for (const Option& o : options) {
        std::string about = kind_name(o.kind);
        if (!o.words.empty()) {
            about = "";
            for (const std::string& w : o.words) about += (about.empty() ? "" : " | ") + w;
        }
        if (!o.seam.empty())
            about = o.seam;
        if (!o.range.empty())
            about += ", " + o.range;
        if (!o.automatic.empty())
            about += ", or \"" + o.automatic + "\"";
        text += fmt::format("{}{}  ({}){}\n{}    {}\n", margin, o.path, about,
                            o.initial.empty() ? "" : "  default " + o.initial, margin, o.help);
        print(o.members, indent, text);
        for (const OptionRow& r : o.rows) {
            text += fmt::format("{}  = {}: {}\n", margin, r.name, r.help);
            print(r.options, indent + 6, text);
        }
    }
}

}  // namespace

const char* kind_name(Option::Kind kind) {
    switch (kind) {
        case Option::Kind::integer:
            return "integer";
        case Option::Kind::number:
            return "number";
        case Option::Kind::flag:
            return "true or false";
        case Option::Kind::text:
            return "text";
        case Option::Kind::choice:
            return "word";
        case Option::Kind::path:
            return "path";
        case Option::Kind::paths:
            return "path or list of paths";
        case Option::Kind::numbers:
            return "list of numbers";
        case Option::Kind::selection:
            return "name or object";
        case Option::Kind::object:
            return "object";
    }
    return "";
}

std::vector<Option> describe_fields(FunctionRef<void(Visitor&)> fields) {
    Describer describer("", 0);
    fields(describer);
    return describer.take();
}

std::vector<Listed> flat(const std::vector<Option>& options) {
    std::vector<Listed> all;
    flatten(options, "", all);
    return all;
}

std::string help_text(const std::vector<Option>& options) {
    std::string text;
    print(options, 0, text);
    return text;
}

std::string range_text(const Bounds<int64_t>& bounds) { return range_of(bounds); }
std::string range_text(const Bounds<double>& bounds) { return range_of(bounds); }

}  // namespace attend::config
