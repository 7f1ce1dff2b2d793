#pragma once
/// Walks over all options, nested ones and those of chosen rows included: override what is of interest.
#include "core/base/options.h"

namespace attend::config {

class Walk : public Visitor {
  public:
    void integer(const char*, int64_t&, Bounds<int64_t>, const char*) override {}
    void number(const char*, double&, Bounds<double>, const char*) override {}
    void flag(const char*, bool&, const char*) override {}
    void text(const char*, std::string&, const char*) override {}
    void choice(const char*, std::string&, std::vector<std::string>, const char*) override {}
    void path(const char*, std::string&, const char*) override {}
    void paths(const char*, std::vector<std::string>&, const char*) override {}
    void numbers(const char*, std::vector<double>&, Bounds<double>, bool, const char*) override {}
    void selection(const char*, Selection& value, const char*) override { value.options().fields(*this); }

  protected:
    void nested(const char*, FunctionRef<void(Visitor&)> fields, const char*) override { fields(*this); }
};

}  // namespace attend::config
