#pragma once
/// Visitors for tests: set options by name, and list what a row declares.
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "core/base/options.h"
#include "core/real.h"

namespace attend::ATTEND_PRECISION::oracles {

/// One declared option.
struct Declared {
    std::string name, help;
    std::vector<double> values;  ///< its default
    double low = 0, high = 0;
    bool fixed_length = false;
};

/// Sets the options named in `given` (numbers with a space between for lists) and lists all of
/// them. Takes what optimisers and schedules declare: integers, numbers, flags, lists, choices.
class OptionsByName final : public Visitor {
  public:
    explicit OptionsByName(std::map<std::string, std::string> given = {}) : given_(std::move(given)) {}

    void integer(const char* name, int64_t& value, Bounds<int64_t> bounds, const char* help) override {
        list({name, help, {static_cast<double>(value)}, static_cast<double>(bounds.low), static_cast<double>(bounds.high)});
        take(name, value);
    }
    void number(const char* name, double& value, Bounds<double> bounds, const char* help) override {
        list({name, help, {value}, bounds.low, bounds.high});
        take(name, value);
    }
    void flag(const char* name, bool& value, const char* help) override {
        list({name, help, {value ? 1.0 : 0.0}, 0, 1});
        if (const auto found = given_.find(name); found != given_.end()) {
            value = found->second == "true";
            given_.erase(found);
        }
    }
    void numbers(const char* name, std::vector<double>& value, Bounds<double> bounds, bool fixed_length,
                 const char* help) override {
        list({name, help, value, bounds.low, bounds.high, fixed_length});
        if (const auto found = given_.find(name); found != given_.end()) {
            value.clear();
            std::istringstream words(found->second);
            for (double x; words >> x;) value.push_back(x);
            given_.erase(found);
        }
    }
    void text(const char* name, std::string&, const char*) override { refuse(name); }
    void choice(const char* name, std::string& value, std::vector<std::string> words, const char* help) override {
        list({name, help, {}, 0, static_cast<double>(words.size())});
        take(name, value);
    }
    void path(const char* name, std::string&, const char*) override { refuse(name); }
    void paths(const char* name, std::vector<std::string>&, const char*) override { refuse(name); }
    void selection(const char* name, Selection&, const char*) override {
        if (given_.contains(name))
            refuse(name);
    }
    void pattern(const char* name, Pattern&, const char*) override { refuse(name); }

    const std::vector<Declared>& declared() const { return declared_; }
    /// The names given that no option had.
    std::size_t left() const { return given_.size(); }

  protected:
    void nested(const char* name, FunctionRef<void(Visitor&)>, const char*) override { refuse(name); }

  private:
    template <class T>
    void take(const char* name, T& value) {
        if (const auto found = given_.find(name); found != given_.end()) {
            std::istringstream(found->second) >> value;
            given_.erase(found);
        }
    }
    void list(Declared d) { declared_.push_back(std::move(d)); }
    [[noreturn]] static void refuse(const char* name) { fail("options by name: no such kind: option {}, kinds known 5", name); }

    std::map<std::string, std::string> given_;
    std::vector<Declared> declared_;
};

/// A row of a seam with those options set. Throws Error when it has no option of a name.
inline Selection select(const Seam& seam, const std::string& row, const std::map<std::string, std::string>& options) {
    Selection chosen(seam, row);
    OptionsByName setter(options);
    chosen.options().fields(setter);
    require(setter.left() == 0, "{} {}: options unknown: {} of {}", seam.kind(), row, setter.left(), options.size());
    return chosen;
}

}  // namespace attend::ATTEND_PRECISION::oracles
