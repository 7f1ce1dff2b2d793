#include "train/study/plan/settings.h"

#include <map>

#include "train/config/values.h"

namespace attend::plan {

namespace {

using config::in_quotes;

// The rows of the selections by their paths.
using Rows = std::map<std::string, std::string>;

struct Leaf {
    std::string path, value;
};

struct Flat {
    std::vector<Leaf> leaves;
    Rows rows;
};

// Writes down every value. Where `rows` holds another row than is chosen, that row's defaults are written.
class Flattener final : public config::ValueVisitor {
  public:
    Flattener(Flat& flat, const Rows* rows, std::string path = "") : flat_(flat), rows_(rows), path_(std::move(path)) {}

    void selection(const char* name, Selection& value, const char*) override {
        const std::string here = joined(name);
        put(fmt::format("{}.{}", name, value.seam().key()).c_str(), in_quotes(value.name()));
        flat_.rows[here] = value.name();
        Selection row = value;
        if (rows_ != nullptr)
            if (const auto found = rows_->find(here); found != rows_->end() && found->second != row.name())
                row.choose(found->second);
        Flattener inner(flat_, rows_, here);
        row.options().fields(inner);
    }

  protected:
    void nested(const char* name, FunctionRef<void(Visitor&)> fields, const char*) override {
        Flattener inner(flat_, rows_, joined(name));
        fields(inner);
    }

  private:
    std::string joined(const char* name) const { return path_.empty() ? name : path_ + "." + name; }
    void put(const char* name, std::string value) override { flat_.leaves.push_back({joined(name), std::move(value)}); }

    Flat& flat_;
    const Rows* rows_;
    std::string path_;
};

Flat flat(Experiment experiment, const Rows* rows) {
    Flat result;
    Flattener flattener(result, rows);
    experiment.fields(flattener);
    return result;
}

}  // namespace

std::vector<Setting> settings(const Experiment& asked, const Experiment& resolved) {
    const Flat before = flat(asked, nullptr), now = flat(resolved, nullptr), initial = flat(Experiment(), &now.rows);
    ensure(before.leaves.size() == now.leaves.size() && initial.leaves.size() == now.leaves.size(),
           "plan: resolving changed which options there are: asked {}, resolved {}, defaults {}", before.leaves.size(),
           now.leaves.size(), initial.leaves.size());
    std::vector<Setting> all;
    for (std::size_t i = 0; i < now.leaves.size(); ++i) {
        Setting s{now.leaves[i].path, now.leaves[i].value, initial.leaves[i].value, Setting::Origin::initial};
        if (before.leaves[i].value != s.initial) {
            s.origin = Setting::Origin::given;
            s.value = s.value == s.initial ? before.leaves[i].value : s.value;
        } else if (s.value != s.initial) {
            s.origin = Setting::Origin::chosen;
        }
        all.push_back(std::move(s));
    }
    return all;
}

}  // namespace attend::plan
