#include "train/study/compare/prepare.h"

#include <algorithm>

#include "train/config/words.h"
#include "train/config/writer.h"
#include "train/study/compare/folder.h"
#include "train/study/plan/plan.h"

namespace attend::compare {

namespace {

// What a variant's runs will measure, and where.
struct Measured {
    std::vector<std::string> metrics;  // of an evaluation
    bool valid = false, test = false;
};

Split split_for(const CompareOptions& options, const std::vector<Measured>& measured, const Comparison& c) {
    const auto every = [&](bool Measured::*has) { return std::ranges::all_of(measured, has); };
    const bool valid = every(&Measured::valid), test = every(&Measured::test);
    if (options.split == "auto")
        return test ? Split::test : valid ? Split::valid : Split::train;
    for (std::size_t i = 0; i < measured.size(); ++i)
        require(options.split == "train" || (options.split == "valid" ? measured[i].valid : measured[i].test),
                "{}: compare.split: variant '{}' has no examples of the split '{}'", c.path, c.variants[i].name, options.split);
    return options.split == "train" ? Split::train : options.split == "valid" ? Split::valid : Split::test;
}

Settings settings_for(const Comparison& c, const std::vector<Measured>& measured, const std::vector<Experiment>& resolved) {
    const CompareOptions& o = c.options;
    Settings s;
    s.split = split_for(o, measured, c);
    s.metric = !o.metric.empty()                                                  ? o.metric
               : s.split == Split::train || resolved[0].train.best_metric.empty() ? "loss"
                                                                                  : resolved[0].train.best_metric;
    for (std::size_t i = 0; i < measured.size(); ++i) {
        const std::vector<std::string> known = s.split == Split::train ? std::vector<std::string>{"loss"} : measured[i].metrics;
        const std::string near = nearest_name(s.metric, known);
        require(contains(known, s.metric),
                "{}: compare.metric: variant '{}' does not measure it on the {} split: '{}'{}; known: {}", c.path,
                c.variants[i].name, split_name(s.split), s.metric,
                near.empty() ? "" : fmt::format("; did you mean '{}'?", near), joined(known));
    }
    s.better = better_of(s.metric);
    s.judged = o.evaluation == "best" ? Judged::best : Judged::last;
    s.reference = c.reference();
    if (o.threshold != 0)
        s.threshold = o.threshold;
    s.confidence = o.confidence;
    s.power = o.power;
    for (const double step : o.steps) s.steps.push_back(static_cast<int64_t>(step));
    return s;
}

std::string other_batches(const Experiment& reference, const Experiment& variant) {
    std::vector<std::string> paths;
    for (const config::Difference& d : config::differences(reference, variant))
        if (d.path.starts_with("data.") || d.path == "train.batch" || d.path == "train.accumulate" ||
            d.path == "train.overfit_one_batch")
            paths.push_back(d.path);
    return joined(paths);
}

}  // namespace

Prepared prepare(const Comparison& c, const std::string& folder) {
    Prepared p;
    std::vector<Measured> measured;
    for (const Variant& v : c.variants) {
        try {
            Experiment asked = v.experiment;
            asked.seed = c.seeds.front();
            const plan::Built built = plan::build(asked);
            p.resolved.push_back(built.experiment);
            p.parameters.push_back(built.made.store->count());
            measured.push_back({computed_metrics(built.task->metrics(), Decode::yes), built.task->size(Split::valid) > 0,
                                built.task->size(Split::test) > 0 && !asked.train.overfit_one_batch});
        } catch (const Error& e) {
            throw Error(fmt::format("{}: variants.{}: {}", c.path, v.name, e.what()));
        }
    }
    p.settings = settings_for(c, measured, p.resolved);
    for (const Experiment& e : p.resolved) p.other_batches.push_back(other_batches(p.resolved[p.settings.reference], e));
    for (std::size_t s = 0; s < c.seeds.size(); ++s)
        for (std::size_t v = 0; v < c.variants.size(); ++v) {
            const Variant& variant = c.variants[v];
            Planned run{v, s, std::filesystem::path(folder) / variant.name / seed_name(c.seeds[s]), variant.experiment};
            run.experiment.seed = c.seeds[s];
            run.experiment.name = variant.name + "-" + seed_name(c.seeds[s]);
            p.runs.push_back(std::move(run));
        }
    return p;
}

}  // namespace attend::compare
