#pragma once
/// Options as JSON text, value by value: what the writers of configs and of `attend plan` share.
#include <string>

#include "core/base/options.h"
#include "train/config/writer.h"

namespace attend::config {

/// Visits fields and hands each value that is not an object to put(), as JSON on one line. A number that stands for an
/// automatic choice is its word; a list of one path is that path.
class ValueVisitor : public Visitor {
  public:
    void integer(const char* name, int64_t& value, Bounds<int64_t> bounds, const char*) override;
    void number(const char* name, double& value, Bounds<double> bounds, const char*) override;
    void flag(const char* name, bool& value, const char*) override;
    void text(const char* name, std::string& value, const char*) override;
    void choice(const char* name, std::string& value, std::vector<std::string>, const char*) override;
    void path(const char* name, std::string& value, const char*) override;
    void paths(const char* name, std::vector<std::string>& value, const char*) override;
    void numbers(const char* name, std::vector<double>& value, Bounds<double>, bool, const char*) override;

  protected:
    /// What is done with the value of `name`.
    virtual void put(const char* name, std::string json) = 0;
};

}  // namespace attend::config
