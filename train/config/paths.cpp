#include "train/config/paths.h"

namespace attend::inline ATTEND_PRECISION::config {

namespace {

class Collector final : public Visitor {
  public:
    explicit Collector(std::vector<std::string>& all) : all_(all) {}
    void integer(const char*, int64_t&, Bounds<int64_t>, const char*) override {}
    void number(const char*, double&, Bounds<double>, const char*) override {}
    void flag(const char*, bool&, const char*) override {}
    void text(const char*, std::string&, const char*) override {}
    void choice(const char*, std::string&, std::vector<std::string>, const char*) override {}
    void numbers(const char*, std::vector<double>&, Bounds<double>, bool, const char*) override {}
    void path(const char*, std::string& value, const char*) override { add(value); }
    void paths(const char*, std::vector<std::string>& value, const char*) override {
        for (const std::string& p : value) add(p);
    }
    void selection(const char*, Selection& value, const char*) override { value.options().fields(*this); }

  protected:
    void nested(const char*, FunctionRef<void(Visitor&)> fields, const char*) override { fields(*this); }

  private:
    void add(const std::string& path) {
        if (!path.empty())
            all_.push_back(path);
    }
    std::vector<std::string>& all_;
};

}  // namespace

std::vector<std::string> paths_of(FunctionRef<void(Visitor&)> fields) {
    std::vector<std::string> all;
    Collector collector(all);
    fields(collector);
    return all;
}

}  // namespace attend::inline ATTEND_PRECISION::config
