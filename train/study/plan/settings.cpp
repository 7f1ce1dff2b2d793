#include "train/study/plan/settings.h"

#include "train/config/writer.h"

namespace attend::plan {

namespace {

using config::Option;
using Options = std::vector<Option>;

Setting setting(const std::string& path, const std::string& asked, const std::string& resolved, const std::string& initial) {
    if (asked != initial)
        return {path, resolved == initial ? asked : resolved, initial, Setting::Origin::given};
    return {path, resolved, initial, resolved != initial ? Setting::Origin::chosen : Setting::Origin::initial};
}

void add(std::vector<Setting>& all, const Options& asked, const Options& resolved, const Options& initial);

// One option, one object, or one list, whose elements have the same defaults.
void add(std::vector<Setting>& all, const Option& a, const Option& r, const Option& d) {
    ensure(a.kind == r.kind && (r.kind != Option::Kind::list || a.members.size() == r.members.size()),
           "plan: resolving changed what there is at '{}': elements asked {}, resolved {}", r.path, a.members.size(),
           r.members.size());
    if (r.kind == Option::Kind::object) {
        add(all, a.members, r.members, d.members);
        return;
    }
    if (r.kind == Option::Kind::list) {
        for (std::size_t i = 0; i < r.members.size(); ++i) add(all, a.members[i], r.members[i], d);
        return;
    }
    const Option& named = r.kind == Option::Kind::selection ? r.members[0] : r;
    all.push_back(setting(named.path, a.value, r.value, d.value));
    for (const config::OptionRow& row : d.rows)
        if (config::in_quotes(row.name) == r.value)
            add(all, {a.members.begin() + 1, a.members.end()}, {r.members.begin() + 1, r.members.end()}, row.options);
}

// `initial` has the options with their defaults, with all rows of its selections.
void add(std::vector<Setting>& all, const Options& asked, const Options& resolved, const Options& initial) {
    ensure(asked.size() == resolved.size() && initial.size() == resolved.size(),
           "plan: resolving changed which options there are: asked {}, resolved {}, defaults {}", asked.size(), resolved.size(),
           initial.size());
    for (std::size_t i = 0; i < resolved.size(); ++i) add(all, asked[i], resolved[i], initial[i]);
}

}  // namespace

std::vector<Setting> settings(const Options& asked, const Options& resolved, const Options& initial) {
    std::vector<Setting> all;
    add(all, asked, resolved, initial);
    return all;
}

std::vector<Setting> settings(const Experiment& asked, const Experiment& resolved) {
    return settings(config::describe(asked, config::SeamRows::chosen), config::describe(resolved, config::SeamRows::chosen),
                    config::describe<Experiment>());
}

}  // namespace attend::plan
