#include "train/config/paths.h"

#include "train/config/walk.h"

namespace attend::config {

namespace {

class Collector final : public Walk {
  public:
    explicit Collector(std::vector<std::string>& all) : all_(all) {}
    void path(const char*, std::string& value, const char*) override { add(value); }
    void paths(const char*, std::vector<std::string>& value, const char*) override {
        for (const std::string& p : value) add(p);
    }

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

}  // namespace attend::config
