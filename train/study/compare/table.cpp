#include "train/study/compare/table.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "train/config/words.h"
#include "train/evaluate/scores.h"
#include "train/study/compare/run_curves.h"

namespace attend::compare {

namespace {

bool at_least(double value, double level, Better better) { return better == Better::higher ? value >= level : value <= level; }

std::optional<double> best_of(const std::vector<double>& values, Better better) {
    std::optional<double> best;
    for (const double v : values)
        if (!best || at_least(v, *best, better))
            best = v;
    return best;
}

std::vector<double> heights_of(const std::vector<Point>& curve) {
    std::vector<double> heights;
    for (const Point& p : curve) heights.push_back(p.value);
    return heights;
}

// The worst that the metric can be.
double bound_of(const Settings& s) { return s.better == Better::higher ? s.bounds.least : s.bounds.most; }

// What a model is worth that has learnt little: the worst first value on the way of all runs; where
// none was measured, the worst that the metric can be.
std::optional<double> untrained_value(const std::vector<VariantRecord>& variants, const Settings& s) {
    std::vector<double> first;
    for (const VariantRecord& v : variants)
        for (const RunRecord& run : v.runs)
            if (const std::vector<Point> curve = curve_of(run, s.curve(), s.metric); !curve.empty())
                first.push_back(curve.front().value);
    if (first.empty() && std::isfinite(bound_of(s)))
        return bound_of(s);
    return best_of(first, opposite(s.better));
}

std::vector<double> finished_values(const VariantRecord& variant, const Settings& s) {
    std::vector<double> values;
    for (const RunRecord& run : variant.runs)
        if (const std::optional<double> value = value_of(run, s))
            values.push_back(*value);
    return values;
}

// Whether values lie on both sides of a level.
bool straddles(const std::vector<double>& values, double level) {
    const auto above = std::ranges::count_if(values, [&](double v) { return v > level; });
    return above > 0 && above < std::ssize(values);
}

// What all variants have in common.
struct Common {
    std::optional<double> untrained;
    std::optional<double> level;  // beyond which a run has collapsed
    double worst = 0;             // a diverged run's value
};

Common common_of(const std::vector<VariantRecord>& variants, const Settings& s) {
    std::vector<double> all;
    for (const VariantRecord& v : variants)
        for (const double value : finished_values(v, s)) all.push_back(value);
    Common c{untrained_value(variants, s), s.collapsed, bound_of(s)};
    if (!c.level && c.untrained)
        c.level = collapse_level(all, *c.untrained, s.bounds.most - s.bounds.least, s.better);
    if (!s.collapsed && c.level &&
        std::ranges::none_of(variants, [&](const VariantRecord& v) { return straddles(finished_values(v, s), *c.level); }))
        c.level = std::nullopt;     // variants that differ as a whole
    if (!std::isfinite(c.worst)) {  // the worst of what there is
        for (const std::optional<double> other : {c.untrained, worst_of_metric(variants, s.curve(), s.metric)})
            if (other)
                all.push_back(*other);
        c.worst = best_of(all, opposite(s.better)).value_or(0);
    }
    return c;
}

// The last value of the metric on the split, finite or not; none where it was not measured there.
std::optional<double> last_measured(const RunRecord& run, const Settings& s) {
    const auto last =
        std::find_if(run.lines.rbegin(), run.lines.rend(), [&](const Line& line) { return line.split == s.split; });
    return last == run.lines.rend() ? std::nullopt : last->scores.find(s.metric);
}

Outcome outcome_of(const RunRecord& run, const Settings& s, const Common& common) {
    if (run.ending == Ending::diverged || (run.ending == Ending::finished && !run.exploded.empty()))
        return Outcome::diverged;
    if (run.ending != Ending::finished)
        return Outcome::unknown;
    const std::optional<double> value = value_of(run, s);
    if (!value)
        return last_measured(run, s) ? Outcome::diverged : Outcome::unknown;
    return common.level && !at_least(*value, *common.level, s.better) ? Outcome::collapsed : Outcome::trained;
}

std::vector<Outcome> outcomes_of(const VariantRecord& variant, const Settings& s, const Common& common) {
    std::vector<Outcome> outcomes;
    for (const RunRecord& run : variant.runs) outcomes.push_back(outcome_of(run, s, common));
    return outcomes;
}

std::vector<Judgement> judgements_of(const VariantRecord& variant, const std::vector<Outcome>& outcomes, const Settings& s) {
    std::vector<Judgement> runs;
    for (std::size_t i = 0; i < variant.runs.size(); ++i)
        runs.push_back({outcomes[i], value_of(variant.runs[i], s), variant.runs[i].examples});
    return runs;
}

// The last values up to a step; of all runs, or of none: a mean of those that happen to have come as
// far is a mean of the better ones.
std::vector<double> values_at(const VariantRecord& variant, const Settings& s, int64_t step) {
    std::vector<double> values;
    for (const RunRecord& run : variant.runs) {
        const std::vector<Point> curve = curve_of(run, s.curve(), s.metric);
        const auto after = std::ranges::find_if(curve, [&](const Point& p) { return p.step > step; });
        if (after == curve.begin() || (after == curve.end() && run.steps < step))
            return {};
        values.push_back((after - 1)->value);
    }
    return values;
}

void count_runs(Row& row, const VariantRecord& variant, const Settings& s) {
    std::vector<double> seconds;
    for (const RunRecord& run : variant.runs) {
        ++row.runs;
        row.finished += run.ending == Ending::finished ? 1 : 0;
        row.failed += run.ending == Ending::failed ? 1 : 0;
        row.exploded += run.ending == Ending::finished && !run.exploded.empty() ? 1 : 0;
        row.extended += run.extended.empty() ? 0 : 1;
        row.values.push_back(value_of(run, s));
        if (run.ending == Ending::finished)
            seconds.push_back(run.seconds);
    }
    row.run_seconds = moments_of(seconds, s.confidence);
}

void sum_up(Row& row, const std::vector<Judgement>& runs, const Testing& t) {
    std::vector<double> trained, all = counted_values(runs, t.worst);
    for (const Judgement& run : runs)
        if (run.outcome == Outcome::trained)
            trained.push_back(*run.value);
    row.trained = trained_of(row.outcomes, t.confidence);
    row.moments = moments_of(trained, t.confidence);
    row.limits = intervals_of(runs, t);
    if (all.empty())
        return;
    row.worst = best_of(all, opposite(t.better));
    row.middle = trimmed_mean(all, t.confidence);
    row.mean_of_all = moments_of(all).mean;
    if (t.bounds.both()) {
        for (double& value : all) value = std::clamp(value, t.bounds.least, t.bounds.most);  // what rounding adds
        row.limits_of_all = bounded_mean(all, t.bounds.least, t.bounds.most, t.confidence);
    }
}

std::vector<Finding> findings_of(const Result& t) {
    std::vector<Finding> all;
    const std::string& reference = t.rows[t.settings.reference].name;
    for (const Row& row : t.rows) {
        if (!row.contrast)
            continue;
        const auto add = [&](Verdict verdict, const char* better, const char* worse) {
            if (verdict == Verdict::better || verdict == Verdict::worse)
                all.push_back({row.name, reference, verdict == Verdict::better ? better : worse});
        };
        add(row.contrast->verdict, "better when it trains", "worse when it trains");
        add(row.contrast->reliability, "trains more often", "trains less often");
        add(row.contrast->mean, "better mean", "worse mean");
    }
    return all;
}

// What earlier looks found of variants that are compared now, with the same reference.
std::vector<Withdrawn> withdrawn_of(const Result& t, const Look& now) {
    std::vector<Withdrawn> all = withdrawn(now, t.settings.looks);
    std::erase_if(all, [&](const Withdrawn& w) {
        return w.finding.reference != t.rows[t.settings.reference].name ||
               std::ranges::none_of(t.rows, [&](const Row& row) { return row.contrast && row.name == w.finding.variant; });
    });
    return all;
}

// Of a metric beside the one that is compared.
Moments last_values(const VariantRecord& variant, const std::string& metric, Settings s) {
    s.metric = metric;
    s.judged = Judged::last;
    return moments_of(finished_values(variant, s), s.confidence);
}

Moments present(const std::vector<std::optional<double>>& values, double confidence) {
    std::vector<double> all;
    for (const std::optional<double>& v : values)
        if (v)
            all.push_back(*v);
    return moments_of(all, confidence);
}

void add_areas(Result& table, const std::vector<VariantRecord>& variants) {
    const Settings& s = table.settings;
    table.horizon = common_horizon(variants, s.curve(), s.metric);
    const std::vector<std::vector<std::optional<double>>> areas = areas_of(variants, s.curve(), s.metric);
    for (std::size_t v = 0; v < variants.size(); ++v) {
        Row& row = table.rows[v];
        row.areas = areas[v];
        row.area = present(areas[v], s.confidence);
        if (v == s.reference)
            continue;
        std::vector<std::optional<double>> differences;
        for (std::size_t i = 0; i < areas[v].size() && i < areas[s.reference].size(); ++i)
            if (areas[v][i] && areas[s.reference][i])
                differences.emplace_back(*areas[v][i] - *areas[s.reference][i]);
        row.area_differences = present(differences, s.confidence);
    }
}

void add_times(Result& table, const std::vector<VariantRecord>& variants) {
    const Settings& s = table.settings;
    if (!s.threshold)
        return;
    const auto times = [&](std::size_t v, Axis axis) { return waiting_of(variants[v], s, *s.threshold, axis); };
    const auto mean = [&](std::size_t v, Axis axis) -> std::optional<RestrictedMean> {
        const std::optional<double> horizon = common_horizon(variants, s.curve(), s.metric, axis);
        return horizon ? std::optional(restricted_mean(times(v, axis), *horizon, s.confidence)) : std::nullopt;
    };
    for (std::size_t v = 0; v < variants.size() && table.horizon; ++v) {
        Until until{*mean(v, Axis::steps), mean(v, Axis::targets), mean(v, Axis::seconds), {}};
        if (v != s.reference)
            until.contrast =
                contrast_of_times(times(v, Axis::steps), times(s.reference, Axis::steps), *table.horizon, s.confidence);
        table.rows[v].until = until;
    }
}

}  // namespace

MetricRange bounds_of(const std::string& metric) {
    if (!from_loss(metric) && !contains(metric_table().names(), metric))
        return {-std::numeric_limits<double>::infinity(), std::numeric_limits<double>::infinity()};
    const Metric m = metric_of(metric);
    return {m.least, m.most};
}

std::vector<Point> curve_of(const RunRecord& run, Split split, const std::string& metric) {
    std::vector<Point> curve;
    for (const Line& line : run.lines) {
        if (line.split != split)
            continue;
        const std::optional<double> value = line.scores.find(metric);
        if (value && std::isfinite(*value))
            curve.push_back({line.step, line.targets, line.seconds, *value});
    }
    return curve;
}

std::optional<double> value_of(const RunRecord& run, const Settings& s) {
    if (run.ending != Ending::finished)
        return std::nullopt;
    if (s.judged == Judged::best && s.split != Split::test)
        return best_of(heights_of(curve_of(run, s.split, s.metric)), s.better);
    const std::optional<double> last = last_measured(run, s);  // not an earlier one where the last is no number
    return last && std::isfinite(*last) ? last : std::nullopt;
}

Look look_with(const Settings& s, const std::vector<int64_t>& seeds) {
    return {s.metric, split_name(s.split), s.judged == Judged::best ? "best" : "last", seeds, {}};
}

std::vector<std::string> metrics_of(const std::vector<VariantRecord>& variants, Split split) {
    std::vector<std::string> names;
    for (const VariantRecord& v : variants)
        for (const RunRecord& run : v.runs)
            for (const Line& line : run.lines)
                if (line.split == split)
                    for (const auto& [name, value] : line.scores.values)
                        if (!contains(names, name))
                            names.push_back(name);
    return names;
}

Result tabulate(const std::vector<VariantRecord>& variants, const Settings& settings) {
    ensure(settings.reference < variants.size(), "compare: no such reference: number {}, variants {}", settings.reference,
           variants.size());
    Result table;
    table.settings = settings;
    for (const RunRecord& run : variants.front().runs) table.seeds.push_back(run.seed);
    if (settings.split != Split::train)
        table.metrics = metrics_of(variants, settings.split);
    Look look = look_with(settings, table.seeds);
    for (const VariantRecord& v : variants)
        table.open += std::ranges::count_if(
            v.runs, [](const RunRecord& r) { return r.ending == Ending::missing || r.ending == Ending::unfinished; });
    table.look = number_of(look, settings.looks);
    const Common common = common_of(variants, settings);
    const Testing testing{.better = settings.better,
                          .bounds = settings.bounds,
                          .confidence = settings.confidence,
                          .power = settings.power,
                          .open = table.open > 0 ? Open::yes : Open::no,
                          .look = table.look,
                          .worst = common.worst};
    std::vector<std::vector<Judgement>> others;
    std::vector<Judgement> reference;
    for (std::size_t v = 0; v < variants.size(); ++v) {
        Row& row = table.rows.emplace_back();
        row.name = variants[v].name;
        count_runs(row, variants[v], settings);
        row.outcomes = outcomes_of(variants[v], settings, common);
        row.diverged = std::ranges::count(row.outcomes, Outcome::diverged);
        std::vector<Judgement> runs = judgements_of(variants[v], row.outcomes, settings);
        sum_up(row, runs, testing);
        for (const int64_t step : settings.steps)
            row.at_steps.push_back(moments_of(values_at(variants[v], settings, step), settings.confidence));
        for (const std::string& metric : table.metrics) row.all.push_back(last_values(variants[v], metric, settings));
        if (v == settings.reference)
            reference = std::move(runs);
        else
            others.push_back(std::move(runs));
    }
    if (settings.by_length) {
        std::vector<std::vector<Outcome>> outcomes;
        for (const Row& row : table.rows) outcomes.push_back(row.outcomes);
        table.by_length = length_curves(variants, outcomes, settings.metric, *settings.by_length, testing);
    }
    Contrasts contrasts = contrasts_of(others, reference, testing);
    table.tests = contrasts.tests;
    table.tests_of_trained = contrasts.tests_of_trained;
    for (std::size_t v = 0, next = 0; v < variants.size(); ++v)
        if (v != settings.reference)
            table.rows[v].contrast = std::move(contrasts.all[next++]);
    const bool tested = std::ranges::any_of(table.rows, [](const Row& row) {
        return row.contrast && (row.contrast->p || row.contrast->p_trained || row.contrast->of_all);
    });
    look.found = findings_of(table);
    if (tested)
        table.withdrawn = withdrawn_of(table, look);
    table.looks = tested ? with_look(settings.looks, look) : settings.looks;
    table.collapse_level = common.level;
    add_areas(table, variants);
    add_times(table, variants);
    return table;
}

int64_t seeds_needed(int64_t comparisons, double alpha) { return std::max(least_flips, pairs_for_flip(comparisons, alpha)); }

std::string seeds_text(int64_t comparisons, int64_t seeds, double alpha, int64_t look) {
    const double level = level_of_look(look, alpha);
    const int64_t needed = seeds_needed(comparisons, level);
    std::string text =
        fmt::format("{}: the sign-flip test can find a difference from {} seeds on (2^(1 - n) <= {:.3g} / {}); there {} {}",
                    counted(comparisons, "comparison"), needed, level, comparisons, seeds == 1 ? "is" : "are", seeds);
    if (seeds < least_pairs || seeds >= needed)
        return text;
    if (seeds < least_flips)
        text += fmt::format("; with {} seeds the t test alone decides", seeds);
    return text + "; " + later_seeds_text(comparisons, alpha, look);
}

std::string later_seeds_text(int64_t comparisons, double alpha, int64_t look) {
    return fmt::format(
        "seeds that are added to this folder later make another look, whose tests are stricter: it needs {} seeds",
        seeds_needed(comparisons, level_of_look(look + 1, alpha)));
}

}  // namespace attend::compare
