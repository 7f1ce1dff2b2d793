#include "train/study/plan/settings.h"

#include "train/config/describe.h"
#include "train/config/writer.h"

namespace attend::plan {

namespace {

using Options = std::vector<config::Option>;

void ensure_same(std::size_t asked, std::size_t resolved, std::size_t initial) {
    ensure(asked == resolved && initial == resolved,
           "plan: resolving changed which options there are: asked {}, resolved {}, defaults {}", asked, resolved, initial);
}

class Settings {
  public:
    // `initial` has the options with their defaults, with all rows of its selections.
    void add(const Options& asked, const Options& resolved, const Options& initial) {
        ensure_same(asked.size(), resolved.size(), initial.size());
        for (std::size_t i = 0; i < resolved.size(); ++i) add(asked[i], resolved[i], initial[i]);
    }

    std::vector<Setting> all;

  private:
    void add(const config::Option& asked, const config::Option& resolved, const config::Option& initial) {
        if (resolved.kind == config::Option::Kind::object)
            return add(asked.members, resolved.members, initial.members);
        if (resolved.kind != config::Option::Kind::selection)
            return add(resolved.path, asked.value, resolved.value, initial.value);
        add(resolved.members[0].path, asked.value, resolved.value, initial.value);
        const auto options_of = [](const Options& members) { return Options(members.begin() + 1, members.end()); };
        for (const config::OptionRow& row : initial.rows)
            if (config::in_quotes(row.name) == resolved.value)
                add(options_of(asked.members), options_of(resolved.members), row.options);
    }
    void add(const std::string& path, const std::string& asked, const std::string& resolved, const std::string& initial) {
        Setting s{path, resolved, initial, Setting::Origin::initial};
        if (asked != initial) {
            s.origin = Setting::Origin::given;
            s.value = resolved == initial ? asked : resolved;
        } else if (resolved != initial) {
            s.origin = Setting::Origin::chosen;
        }
        all.push_back(std::move(s));
    }
};

}  // namespace

std::vector<Setting> settings(const Experiment& asked, const Experiment& resolved) {
    Settings settings;
    settings.add(config::describe(asked, config::SeamRows::chosen), config::describe(resolved, config::SeamRows::chosen),
                 config::describe<Experiment>());
    return std::move(settings.all);
}

}  // namespace attend::plan
