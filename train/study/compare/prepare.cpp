#include "train/study/compare/prepare.h"

#include <algorithm>
#include <array>

#include "core/base/files.h"
#include "train/config/reader.h"
#include "train/config/words.h"
#include "train/config/writer.h"
#include "train/records/record_reader.h"
#include "train/study/compare/folder.h"
#include "train/study/plan/plan.h"

namespace attend::compare {

namespace {

// What a variant's runs will measure, and where.
struct Measured {
    std::vector<std::string> metrics;  // of an evaluation
    bool valid = false, test = false;
    bool sources = false;
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

Settings settings_of(const Comparison& c, const std::string& metric, Split split) {
    const CompareOptions& o = c.options;
    const auto null_variant = std::ranges::find(c.variants, true, &Variant::null_variant);
    return {.metric = metric,
            .better = better_of(metric),
            .bounds = bounds_of(metric),
            .split = split,
            .judged = o.evaluation == "best" ? Judged::best : Judged::last,
            .reference = c.reference,
            .null_variant = null_variant == c.variants.end()
                                ? std::nullopt
                                : std::optional(static_cast<std::size_t>(null_variant - c.variants.begin())),
            .threshold = o.threshold != 0 ? std::optional(o.threshold) : std::nullopt,
            .collapsed = o.collapsed != 0 ? std::optional(o.collapsed) : std::nullopt,
            .confidence = o.confidence,
            .power = o.power,
            .steps = {o.steps.begin(), o.steps.end()},
            .by_length = by_length_table().build(o.by_length),
            .looks = {}};
}

// What single examples came to is kept of the last evaluation alone, and not of the training split.
void require_lengths(const Comparison& c, const Settings& s, const std::vector<Measured>& measured) {
    if (!s.by_length)
        return;
    require(
        s.split == Split::test || (s.split == Split::valid && s.judged == Judged::last),
        "{}: compare.by_length: it is for the test split, or the last value of the valid split: split '{}', evaluation '{}'",
        c.path, split_name(s.split), c.options.evaluation);
    for (std::size_t i = 0; i < measured.size(); ++i)
        require(measured[i].sources || s.by_length->side == Side::target,
                "{}: compare.by_length: variant '{}' has no sources: side '{}', possible 'target'", c.path, c.variants[i].name,
                side_name(s.by_length->side));
}

Settings settings_for(const Comparison& c, const std::vector<Measured>& measured, const std::vector<Experiment>& resolved) {
    const CompareOptions& o = c.options;
    const Split split = split_for(o, measured, c);
    const std::string& best = resolved[0].train.best_metric;
    const std::string metric = !o.metric.empty() ? o.metric : split == Split::train || best.empty() ? "loss" : best;
    for (std::size_t i = 0; i < measured.size(); ++i) {
        const std::vector<std::string> known = split == Split::train ? std::vector<std::string>{"loss"} : measured[i].metrics;
        const std::string near = nearest_name(metric, known);
        require(contains(known, metric),
                "{}: compare.metric: variant '{}' does not measure it on the {} split: '{}'{}; known: {}", c.path,
                c.variants[i].name, split_name(split), metric, near.empty() ? "" : fmt::format("; did you mean '{}'?", near),
                joined(known));
    }
    Settings settings = settings_of(c, metric, split);
    require_lengths(c, settings, measured);
    return settings;
}

std::string other_batches(const Experiment& reference, const Experiment& variant) {
    std::vector<std::string> paths;
    for (const config::Difference& d : config::differences(reference, variant))
        if (d.path.starts_with("data.") ||
            contains({"train.batch", "train.accumulate", "train.overfit_one_batch", "train.batch_order"}, d.path))
            paths.push_back(d.path);
    return joined(paths);
}

// Whether the two take the same batches in the same order; looks at the first of them.
bool same_batches(const Task& task, const Experiment& a, const Experiment& b) {
    constexpr int64_t looked_at = 3;
    const auto first = task.batches(Split::train, training_order(a)), second = task.batches(Split::train, training_order(b));
    const auto equal = [](const Ids& x, const Ids& y) {
        return x.rows == y.rows && x.columns == y.columns && std::ranges::equal(x.values, y.values);
    };
    for (int64_t i = 0; i < looked_at; ++i) {
        const Batch x = first->at(i), y = second->at(i);
        if (!equal(x.source, y.source) || !equal(x.input, y.input) || !equal(x.target, y.target))
            return false;
    }
    return true;
}

}  // namespace

std::vector<Planned> planned_runs(const Comparison& c, const std::filesystem::path& folder) {
    std::vector<Planned> runs;
    for (std::size_t s = 0; s < c.seeds.size(); ++s)
        for (std::size_t v = 0; v < c.variants.size(); ++v) {
            const Variant& variant = c.variants[v];
            Planned run{v, s, folder / variant.name / seed_name(c.seeds[s]), variant.experiment};
            run.experiment.seed = c.seeds[s];
            run.experiment.name = variant.name + "-" + seed_name(c.seeds[s]);
            runs.push_back(std::move(run));
        }
    return runs;
}

Prepared prepare(const Comparison& c, const std::string& folder) {
    Prepared p;
    std::vector<Measured> measured;
    for (const Variant& v : c.variants) {
        try {
            Experiment asked = v.experiment;
            asked.seed = c.seeds.front();
            const plan::Built built = plan::build(asked);
            if (v.null_variant) {
                ensure(c.reference < p.resolved.size(),
                       "prepare: the null variant stands before the reference: reference {}, built {}", c.reference,
                       p.resolved.size());
                require(built.experiment.train.overfit_one_batch ||
                            !same_batches(*built.task, p.resolved[c.reference], built.experiment),
                        "compare.aa: this task has its training batches in one order only, so the reference cannot be run in "
                        "another; task {}",
                        built.experiment.data.name());
            }
            p.resolved.push_back(built.experiment);
            p.parameters.push_back(built.made.store->count());
            measured.push_back({computed_metrics(built.task->metrics(), Decode::yes), built.task->size(Split::valid) > 0,
                                built.task->size(Split::test) > 0 && !asked.train.overfit_one_batch,
                                built.task->source_vocabulary_size() > 0});
        } catch (const Error& e) {
            throw Error(fmt::format("{}: variants.{}: {}", c.path, v.name, e.what()));
        }
    }
    p.settings = settings_for(c, measured, p.resolved);
    if (!folder.empty())
        p.settings.looks = looks_in(std::filesystem::path(folder) / table_file);
    for (const Experiment& e : p.resolved) p.other_batches.push_back(other_batches(p.resolved[p.settings.reference], e));
    p.runs = planned_runs(c, folder);
    return p;
}

RecordWriter prepared_json(const Comparison& c, const Prepared& p) {
    RecordWriter experiments;
    for (std::size_t v = 0; v < c.variants.size(); ++v)
        experiments.set(c.variants[v].name, JsonText{config::write(p.resolved[v])});
    return {{"metric", p.settings.metric},
            {"split", split_name(p.settings.split)},
            {"parameters", p.parameters},
            {"other_batches", p.other_batches},
            {"experiments", experiments}};
}

std::optional<Prepared> kept_preparation(const Comparison& c, const std::filesystem::path& root) {
    constexpr std::size_t largest = std::size_t{1} << 26;
    const std::string path = (root / comparison_file).string();
    const auto asked = RecordReader::of_text(path, read_file(path, largest));
    if (!asked.has(prepared_key))
        return std::nullopt;
    const RecordReader kept = asked.object(prepared_key), experiments = kept.object("experiments");
    Prepared p;
    for (const Variant& v : c.variants)
        p.resolved.push_back(
            config::read<Experiment>(config::parse_object(experiments.json_text(v.name), config::file_source(path))));
    p.parameters = kept.integers("parameters");
    p.other_batches = kept.texts("other_batches");
    require(p.parameters.size() == c.variants.size() && p.other_batches.size() == c.variants.size(),
            "{}: prepared: a number and a text for each variant: variants {}, parameters {}, other_batches {}", path,
            c.variants.size(), p.parameters.size(), p.other_batches.size());
    const std::string split = kept.text("split");
    const auto named = [&](Split s) { return split == split_name(s); };
    constexpr std::array splits = {Split::train, Split::valid, Split::test};
    const auto found = std::ranges::find_if(splits, named);
    require(found != splits.end(), "{}: prepared.split: no such split: '{}', known train, valid, test", path, split);
    p.settings = settings_of(c, kept.text("metric"), *found);
    p.settings.looks = looks_in(root / table_file);
    p.runs = planned_runs(c, root);
    return p;
}

}  // namespace attend::compare
