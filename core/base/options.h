#pragma once
/// Every option is declared once, in a struct with one listing:
///
///     struct GruOptions {
///         int64_t hidden = 64;
///         void fields(Visitor& v) { v.integer("hidden", hidden, {1, 65536}, "width of the state"); }
///     };
///
/// The parser, the help, the JSON schema, the resolved config and the error messages all come from
/// that listing. A field's default is that of a default-constructed struct. Knows nothing of JSON.
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <type_traits>
#include <vector>

#include "core/base/error.h"
#include "core/base/function_ref.h"

namespace attend {

class Selection;
class Pattern;

/// Allowed values, both ends included.
template <class T>
struct Bounds {
    T low = std::numeric_limits<T>::lowest();
    T high = std::numeric_limits<T>::max();
    const char* automatic = nullptr;  ///< a word (as "auto") that stands for 0; null: none
};

/// What visits the fields of an options struct: a reader, a writer, a help printer, a schema
/// builder.
class Visitor {
  public:
    virtual ~Visitor() = default;
    virtual void integer(const char* name, int64_t& value, Bounds<int64_t> bounds, const char* help) = 0;
    virtual void number(const char* name, double& value, Bounds<double> bounds, const char* help) = 0;
    virtual void flag(const char* name, bool& value, const char* help) = 0;
    virtual void text(const char* name, std::string& value, const char* help) = 0;
    /// One word of a closed list.
    virtual void choice(const char* name, std::string& value, std::vector<std::string> words, const char* help) = 0;
    /// A file or folder. A reader makes it absolute; empty means not given.
    virtual void path(const char* name, std::string& value, const char* help) = 0;
    /// One path, or a list of them.
    virtual void paths(const char* name, std::vector<std::string>& value, const char* help) = 0;
    /// A list of exactly value.size() numbers when `fixed_length`, else of any length.
    virtual void numbers(const char* name, std::vector<double>& value, Bounds<double> bounds, bool fixed_length,
                         const char* help) = 0;
    /// One row of a seam's table with that row's own options: {"type": NAME, ...}, or NAME for
    /// short.
    virtual void selection(const char* name, Selection& value, const char* help) = 0;
    /// A selection, or a list of them for the layers of a stack, and lists in it for their heads
    /// (core/base/pattern.h).
    virtual void pattern(const char* name, Pattern& value, const char* help) = 0;
    /// A nested struct.
    template <class T>
    void object(const char* name, T& value, const char* help) {
        nested(
            name, [&value](Visitor& v) { value.fields(v); }, help);
    }

  protected:
    virtual void nested(const char* name, FunctionRef<void(Visitor&)> fields, const char* help) = 0;
};

/// A type-erased options struct that can be copied.
class AnyOptions {
  public:
    virtual ~AnyOptions() = default;
    virtual void fields(Visitor& v) = 0;
    virtual std::unique_ptr<AnyOptions> copy() const = 0;
};

template <class T>
class OptionsOf final : public AnyOptions {
  public:
    OptionsOf() = default;
    explicit OptionsOf(T v) : value(std::move(v)) {}
    void fields(Visitor& v) override { value.fields(v); }
    std::unique_ptr<AnyOptions> copy() const override { return std::make_unique<OptionsOf>(value); }
    T value{};
};

/// For rows that have nothing to set.
struct NoOptions {
    void fields(Visitor&) {}
};

/// A seam: one table of names. Derived by Table, which also knows how to build.
class Seam {
  public:
    virtual ~Seam() = default;
    /// What the table lists: "score", "task", ...
    virtual const char* kind() const = 0;
    /// The key that selects a row in a config object: {"type": NAME, ...}; the tasks' is "task".
    virtual const char* key() const = 0;
    /// The row that a config object means when it names none; null: it must name one.
    virtual const char* fallback() const = 0;
    /// The names in the order of the table.
    virtual std::vector<std::string> names() const = 0;
    /// Throws Error naming the nearest known name when there is no such row.
    virtual const char* help(const std::string& name) const = 0;
    /// That row's options with their defaults; throws as help().
    virtual std::unique_ptr<AnyOptions> defaults(const std::string& name) const = 0;
    bool has(const std::string& name) const;
};

/// All seams, for `attend list`, help and the schema. A Table registers itself here when
/// constructed, unless it is unlisted. What is compiled for both precisions has two tables of each
/// kind: the second is accepted once, with the same rows, and not listed; anything else is a
/// MachineError.
const std::vector<const Seam*>& all_seams();

/// The chosen row of a seam and its options. A value: copies are independent.
class Selection {
  public:
    /// The row `name` with its defaults; throws Error when there is no such row.
    Selection(const Seam& seam, const std::string& name);
    Selection(const Selection& other);
    Selection& operator=(const Selection& other) { return *this = Selection(other); }
    Selection(Selection&&) = default;
    Selection& operator=(Selection&&) = default;

    const Seam& seam() const { return *seam_; }
    const std::string& name() const { return name_; }
    /// Chooses another row, with its defaults; throws Error when there is no such row.
    void choose(const std::string& name);
    AnyOptions& options() { return *options_; }
    const AnyOptions& options() const { return *options_; }
    /// The options as the row's own struct; throws MachineError when T is not that struct.
    template <class T>
    T& as() {
        auto* holder = dynamic_cast<OptionsOf<T>*>(options_.get());
        ensure(holder != nullptr, "{} '{}': its options were asked for as another struct", seam_->kind(), name_);
        return holder->value;
    }
    template <class T>
    const T& as() const {
        return const_cast<Selection*>(this)->as<T>();
    }

  private:
    const Seam* seam_;
    std::string name_;
    std::unique_ptr<AnyOptions> options_;
};

/// Name and options in one line, the same for equal selections alone: "adam {learning_rate 0.001, ...}".
std::string text_of(const Selection& selection);

/// Whether a table is one of all_seams(). Tables that are no part of the program (those of its
/// tests) are not.
enum class Listed { yes, no };

namespace registry {
void register_seam(const Seam* seam);
[[noreturn]] void fail_unknown(const Seam& seam, const std::string& name);
/// Throws Error for the first number among the options that is outside of its declared bounds.
void require_bounds(const Selection& selection);
/// One of these next to the function that returns a table: the table is then in all_seams() from
/// the program's start.
struct AtStart {
    explicit AtStart(const Seam&) {}
};
}  // namespace registry

/// The name in `known` that `name` can be a misspelling of, or "" when none is: a third of the
/// shorter one's letters changed at most (swapped neighbours are one change; of more than one
/// change none is to the first letter), or its end left out.
std::string nearest_name(const std::string& name, const std::vector<std::string>& known);
/// All names that are as near as the nearest, in the order of `known`; none when none is near.
std::vector<std::string> nearest_names(const std::string& name, const std::vector<std::string>& known);

/// A seam's table: rows of name, help, options and how to build a Product from them.
template <class Signature>
class Table;

template <class Product, class... Args>
class Table<Product(Args...)> final : public Seam {
  public:
    struct Row {
        const char* name;
        const char* help;
        std::function<std::unique_ptr<AnyOptions>()> defaults;
        std::function<Product(const Selection&, Args...)> build;
    };

    /// `fallback` is the row of a config object that names none; null: there is no such row.
    Table(const char* kind, std::vector<Row> rows, const char* key = "type", Listed listed = Listed::yes,
          const char* fallback = nullptr)
        : kind_(kind), key_(key), fallback_(fallback), rows_(std::move(rows)) {
        ensure(fallback == nullptr || has(fallback), "seam '{}': the fallback is no row: '{}'", kind,
               fallback == nullptr ? "" : fallback);
        if (listed == Listed::yes)
            registry::register_seam(this);
    }
    Table(const Table&) = delete;
    Table& operator=(const Table&) = delete;

    const char* kind() const override { return kind_; }
    const char* key() const override { return key_; }
    const char* fallback() const override { return fallback_; }
    std::vector<std::string> names() const override {
        std::vector<std::string> all;
        for (const Row& r : rows_) all.emplace_back(r.name);
        return all;
    }
    const char* help(const std::string& name) const override { return row(name).help; }
    std::unique_ptr<AnyOptions> defaults(const std::string& name) const override { return row(name).defaults(); }
    /// Builds what the selection names.
    Product build(const Selection& selection, Args... args) const {
        return row(selection.name()).build(selection, std::forward<Args>(args)...);
    }

    /// A row that makes an Implementation, with options O. Of (const O&, Args...) its constructor
    /// takes both parts, one, or none. Building throws Error for a number outside of its declared
    /// bounds.
    template <class Implementation, class O = NoOptions>
    static Row row(const char* name, const char* help) {
        return Row{name, help, [] { return std::make_unique<OptionsOf<O>>(); },
                   [](const Selection& s, [[maybe_unused]] Args... args) -> Product {
                       registry::require_bounds(s);
                       [[maybe_unused]] const O& o = s.template as<O>();
                       if constexpr (std::is_constructible_v<Implementation, const O&, Args...>)
                           return std::make_unique<Implementation>(o, std::forward<Args>(args)...);
                       else if constexpr (std::is_same_v<O, NoOptions> && std::is_constructible_v<Implementation, Args...>)
                           return std::make_unique<Implementation>(std::forward<Args>(args)...);
                       else if constexpr (std::is_constructible_v<Implementation, const O&>)
                           return std::make_unique<Implementation>(o);
                       else
                           return std::make_unique<Implementation>();
                   }};
    }
    /// A row whose options are the struct O and whose build is a function of (const O&, Args...).
    template <class O, class F>
    static Row make(const char* name, const char* help, F build) {
        return Row{name, help, [] { return std::make_unique<OptionsOf<O>>(); },
                   [build](const Selection& s, Args... args) -> Product {
                       return build(s.template as<O>(), std::forward<Args>(args)...);
                   }};
    }

  private:
    const Row& row(const std::string& name) const {
        for (const Row& r : rows_)
            if (name == r.name)
                return r;
        registry::fail_unknown(*this, name);
    }
    const char* kind_;
    const char* key_;
    const char* fallback_;
    std::vector<Row> rows_;
};

}  // namespace attend
