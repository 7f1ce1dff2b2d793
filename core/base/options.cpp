#include "core/base/options.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/base/pattern.h"

namespace attend {

namespace {
std::vector<const Seam*>& seams() {
    static std::vector<const Seam*> all;
    return all;
}

std::string_view text_or_empty(const char* text) { return text == nullptr ? std::string_view() : text; }

// Damerau-Levenshtein distance (optimal string alignment): insertions, deletions, substitutions,
// swaps of neighbours.
std::size_t edit_distance(const std::string& a, const std::string& b) {
    std::vector<std::vector<std::size_t>> d(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
    for (std::size_t i = 0; i <= a.size(); ++i) d[i][0] = i;
    for (std::size_t j = 0; j <= b.size(); ++j) d[0][j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i)
        for (std::size_t j = 1; j <= b.size(); ++j) {
            d[i][j] = std::min({d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0u : 1u)});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
        }
    return d[a.size()][b.size()];
}
// Writes every option's name and value.
class Text final : public Visitor {
  public:
    void integer(const char* name, int64_t& value, Bounds<int64_t>, const char*) override { put(name, value); }
    void number(const char* name, double& value, Bounds<double>, const char*) override { put(name, value); }
    void flag(const char* name, bool& value, const char*) override { put(name, value); }
    void text(const char* name, std::string& value, const char*) override { put(name, value); }
    void choice(const char* name, std::string& value, std::vector<std::string>, const char*) override { put(name, value); }
    void path(const char* name, std::string& value, const char*) override { put(name, value); }
    void paths(const char* name, std::vector<std::string>& value, const char*) override {
        for (const std::string& v : value) put(name, v);
    }
    void numbers(const char* name, std::vector<double>& value, Bounds<double>, bool, const char*) override {
        for (const double v : value) put(name, v);
    }
    void selection(const char* name, Selection& value, const char*) override { put(name, text_of(value)); }
    void pattern(const char* name, Pattern& value, const char*) override { put(name, text_of(value)); }
    std::string all;

  protected:
    void nested(const char* name, FunctionRef<void(Visitor&)> fields, const char*) override {
        Text inner;
        fields(inner);
        put(name, "{" + inner.all + "}");
    }

  private:
    template <class T>
    void put(const char* name, const T& value) {
        all += fmt::format("{}{} {}", all.empty() ? "" : ", ", name, value);
    }
};

// Throws for a number outside of its bounds; 0 is allowed where it stands for a word.
class BoundsCheck final : public Visitor {
  public:
    explicit BoundsCheck(const Selection& of) : of_(of) {}
    void integer(const char* name, int64_t& v, Bounds<int64_t> bounds, const char*) override { check(name, v, bounds); }
    void number(const char* name, double& v, Bounds<double> bounds, const char*) override { check(name, v, bounds); }
    void flag(const char*, bool&, const char*) override {}
    void text(const char*, std::string&, const char*) override {}
    void choice(const char*, std::string&, std::vector<std::string>, const char*) override {}
    void path(const char*, std::string&, const char*) override {}
    void paths(const char*, std::vector<std::string>&, const char*) override {}
    void numbers(const char* name, std::vector<double>& all, Bounds<double> bounds, bool, const char*) override {
        for (const double v : all) check(name, v, bounds);
    }
    void selection(const char*, Selection&, const char*) override {}  // checked where it is built
    void pattern(const char*, Pattern&, const char*) override {}      // as well

  protected:
    void nested(const char*, FunctionRef<void(Visitor&)> fields, const char*) override { fields(*this); }

  private:
    template <class T>
    void check(const char* name, T value, const Bounds<T>& bounds) const {
        const bool automatic = bounds.automatic != nullptr && value == T{0};
        require(automatic || (value >= bounds.low && value <= bounds.high), "{} {}: {} out of range: {} {}, allowed {} to {}",
                of_.seam().kind(), of_.name(), name, name, value, bounds.low, bounds.high);
    }
    const Selection& of_;
};
}  // namespace

void registry::require_bounds(const Selection& selection) {
    BoundsCheck check(selection);
    selection.options().copy()->fields(check);
}

std::string text_of(const Selection& selection) {
    Text text;
    const std::unique_ptr<AnyOptions> options = selection.options().copy();
    options->fields(text);
    return text.all.empty() ? selection.name() : selection.name() + " {" + text.all + "}";
}

const std::vector<const Seam*>& all_seams() { return seams(); }

namespace registry {
void register_seam(const Seam* seam) {
    static std::vector<const Seam*> twins;  // the tables of the second precision
    for (const Seam* known : seams())
        if (std::string_view(known->kind()) == seam->kind()) {
            const bool first = std::none_of(twins.begin(), twins.end(), [&](const Seam* t) { return t == known; });
            ensure(first && known->names() == seam->names() && std::string_view(known->key()) == seam->key() &&
                       text_or_empty(known->fallback()) == text_or_empty(seam->fallback()),
                   "seam '{}': a second table must hold the same rows, and there is no third: rows {}, before {}", seam->kind(),
                   seam->names().size(), known->names().size());
            twins.push_back(known);
            return;
        }
    seams().push_back(seam);
}

void fail_unknown(const Seam& seam, const std::string& name) {
    const std::string near = nearest_name(name, seam.names());
    std::string known;
    for (const std::string& n : seam.names()) known += (known.empty() ? "" : ", ") + n;
    if (near.empty())
        fail("{}: unknown name '{}'; known: {}", seam.kind(), name, known);
    fail("{}: unknown name '{}'; did you mean '{}'? known: {}", seam.kind(), name, near, known);
}
}  // namespace registry

bool Seam::has(const std::string& name) const {
    const auto all = names();
    return std::find(all.begin(), all.end(), name) != all.end();
}

namespace {
// Whether `known` can be what was meant by `name`, `distance` edits away. Errors at a word's first
// letter are rare (Pollock and Zamora 1984); of a word of five letters two changed ones leave
// another word ("local" is not "global"), and so does one of two.
bool plausible(const std::string& name, const std::string& known, std::size_t distance) {
    constexpr std::size_t letters_an_error = 3;
    const std::size_t length = std::min(name.size(), known.size());
    if (distance <= 1)
        return length >= letters_an_error || (length > 0 && name.size() != known.size());
    return distance <= length / letters_an_error && name.front() == known.front();
}
}  // namespace

std::vector<std::string> nearest_names(const std::string& name, const std::vector<std::string>& known) {
    constexpr std::size_t longest = 200, least_begun = 4;
    std::vector<std::string> best;
    std::size_t best_distance = longest;
    if (name.size() > longest)
        return best;
    for (const std::string& k : known) {
        const std::size_t d = edit_distance(name, k);
        if (d > best_distance || !plausible(name, k, d))
            continue;
        if (d < best_distance)
            best.clear();
        best_distance = d;
        best.push_back(k);
    }
    if (best.empty() && name.size() >= least_begun)  // "local" for local_m or local_p
        for (const std::string& k : known)
            if (k.starts_with(name))
                best.push_back(k);
    return best;
}

std::string nearest_name(const std::string& name, const std::vector<std::string>& known) {
    const std::vector<std::string> near = nearest_names(name, known);
    return near.empty() ? "" : near.front();
}

Selection::Selection(const Seam& seam, const std::string& name) : seam_(&seam), name_(name), options_(seam.defaults(name)) {}
Selection::Selection(const Selection& other) : seam_(other.seam_), name_(other.name_), options_(other.options_->copy()) {}
void Selection::choose(const std::string& name) {
    options_ = seam_->defaults(name);
    name_ = name;
}

}  // namespace attend
