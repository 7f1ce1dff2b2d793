#include "train/study/lab/estimators.h"

#include "nn/estimators/baseline.h"
#include "train/config/describe.h"
#include "train/config/overrides.h"
#include "train/config/reader.h"
#include "train/config/writer.h"

namespace attend::ATTEND_PRECISION {

namespace {

// A config that holds nothing but an estimator.
struct Holder {
    Selection estimator{estimator_table(), estimator_table().names().front()};
    void fields(Visitor& v) { v.selection("estimator", estimator, "the estimator"); }
};

Selection read(const std::vector<std::string>& assignments) {
    config::Value document = config::parse_object("{}", config::file_source("attend lab"));
    for (const std::string& a : assignments) document = config::set(std::move(document), a);
    return config::read<Holder>(document).estimator;
}

// The value of an option of an estimator, as JSON; none where it has no such option.
std::optional<std::string> value_of(const Selection& s, const std::string& name) {
    const std::vector<config::Option> options = config::describe(Holder{s}, config::SeamRows::chosen);
    for (const config::Option& o : options.front().members)
        if (o.name == name)
            return o.value;
    return std::nullopt;
}

}  // namespace

std::vector<Selection> candidates(const lab::Setup& setup) {
    std::vector<Selection> all;
    for (const std::string& e : setup.estimators) all.push_back(read({"estimator=" + e}));
    if (!all.empty())
        return all;
    for (const std::string& name : estimator_table().names()) {
        std::vector<std::string> assignments = {"estimator=" + name};
        if (value_of(read(assignments), "samples"))
            assignments.push_back(fmt::format("estimator.samples={}", setup.samples));
        if (name != default_estimator) {
            all.push_back(read(assignments));
            continue;
        }
        assignments.emplace_back();
        for (const std::string& baseline : baseline_table().names()) {
            assignments.back() = "estimator.baseline=" + baseline;
            all.push_back(read(assignments));
        }
    }
    return all;
}

namespace {
// The options of `selection` that differ from those of `from`, by name.
std::vector<std::pair<std::string, std::string>> options_beside(const Selection& from, const Selection& selection) {
    std::vector<std::pair<std::string, std::string>> all;
    for (const config::Difference& d : config::differences(Holder{from}, Holder{selection})) {
        std::string path = d.path.substr(d.path.find('.') + 1);
        if (path.ends_with(".type"))
            path.resize(path.size() - 5);
        all.emplace_back(std::move(path), d.after);
    }
    return all;
}
}  // namespace

lab::Row described(const Selection& selection) {
    lab::Row row;
    row.estimator = row.label = selection.name();
    row.options = options_beside(Selection(estimator_table(), selection.name()), selection);
    // The label of REINFORCE always names its baseline, and every label the samples, which a table compares.
    std::vector<std::string> unlike = {"estimator=" + selection.name()};
    if (selection.name() == default_estimator)
        unlike.emplace_back("estimator.baseline=none");
    for (const char* draws : {"samples", "k"})
        if (const auto value = value_of(selection, draws))
            unlike.push_back(fmt::format("estimator.{}={}", draws, *value == "2" ? 3 : 2));
    const Selection plain = read(unlike);
    for (const auto& [path, value] : options_beside(plain, selection)) {
        const std::string bare = value.starts_with('"') ? value.substr(1, value.size() - 2) : value;
        row.label += path == "samples"                        ? " x" + bare
                     : path == "baseline" || path == "reward" ? " " + bare
                                                              : fmt::format(" {} {}", path, bare);
    }
    return row;
}

}  // namespace attend::ATTEND_PRECISION
