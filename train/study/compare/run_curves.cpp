#include "train/study/compare/run_curves.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "train/config/words.h"
#include "train/evaluate/scores.h"

namespace attend::compare {

namespace {

double place_of(const Point& p, Axis axis) {
    return axis == Axis::steps ? static_cast<double>(p.step) : axis == Axis::targets ? p.targets : p.seconds;
}

bool broke_off(const RunRecord& run) { return run.ending == Ending::diverged || run.ending == Ending::failed; }

std::optional<Better> known_better(const std::string& metric) {
    return from_loss(metric) || contains(metric_table().names(), metric) ? std::optional(better_of(metric)) : std::nullopt;
}

std::vector<Curve> all_curves(const std::vector<VariantRecord>& variants, Split split, const std::string& metric, Axis axis) {
    std::vector<Curve> curves;
    for (const VariantRecord& v : variants)
        for (const RunRecord& run : v.runs) curves.push_back(run_curve(run, split, metric, axis));
    return curves;
}

}  // namespace

const char* axis_name(Axis axis) {
    constexpr std::array names = {"steps", "targets", "seconds"};
    return names.at(static_cast<std::size_t>(axis));
}

std::optional<int64_t> budget_of(const VariantRecord& variant) {
    std::optional<int64_t> most;
    for (const RunRecord& run : variant.runs)
        if (run.ending == Ending::finished)
            most = std::max(most.value_or(run.steps), run.steps);
    return most;
}

Curve run_curve(const RunRecord& run, Split split, const std::string& metric, Axis axis) {
    Curve c;
    for (const Point& p : curve_of(run, split, metric)) {
        const double x = place_of(p, axis);
        if (!std::isfinite(x) || (!c.x.empty() && x <= c.x.back()))
            continue;
        c.x.push_back(x);
        c.y.push_back(p.value);
    }
    c.after = broke_off(run) ? After::worst : run.ending == Ending::finished ? After::last : After::nothing;
    return c;
}

std::optional<double> common_horizon(const std::vector<VariantRecord>& variants, Split split, const std::string& metric,
                                     Axis axis) {
    std::optional<double> horizon;
    for (const VariantRecord& v : variants) {
        const std::optional<int64_t> budget = budget_of(v);
        for (const RunRecord& run : v.runs) {
            if (run.ending != Ending::finished || run.steps != budget)
                continue;
            const Curve c = run_curve(run, split, metric, axis);
            if (!c.x.empty())
                horizon = std::min(horizon.value_or(c.x.back()), c.x.back());
        }
    }
    return horizon;
}

std::vector<std::vector<std::optional<double>>> areas_of(const std::vector<VariantRecord>& variants, Split split,
                                                         const std::string& metric, Axis axis) {
    const std::optional<double> from = common_start(all_curves(variants, split, metric, axis));
    const std::optional<double> to = common_horizon(variants, split, metric, axis);
    const std::optional<double> worst = worst_of_metric(variants, split, metric);
    std::vector<std::vector<std::optional<double>>> areas;
    for (const VariantRecord& v : variants) {
        areas.emplace_back();
        for (const RunRecord& run : v.runs)
            areas.back().push_back(
                from && to && worst && *from <= *to
                    ? area_under(as_counted(run_curve(run, split, metric, axis), metric, worst), *from, *to, *worst)
                    : std::nullopt);
    }
    return areas;
}

std::vector<Waiting> waiting_of(const VariantRecord& variant, const Settings& s, double threshold, Axis axis) {
    const std::optional<int64_t> budget = budget_of(variant);
    std::vector<Waiting> waiting;
    for (const RunRecord& run : variant.runs) {
        const Curve c = run_curve(run, s.curve(), s.metric, axis);
        const bool ended_early = run.ending == Ending::finished && run.steps != budget;
        waiting.push_back({first_reaching(c, threshold, s.better), c.x.empty() ? 0 : c.x.back(),
                           broke_off(run) || ended_early ? Unreached::never : Unreached::until_end});
    }
    return waiting;
}

std::optional<double> worst_of_metric(const std::vector<VariantRecord>& variants, Split split, const std::string& metric) {
    const std::optional<Better> better = known_better(metric);
    if (!better)
        return std::nullopt;
    const MetricRange range = bounds_of(metric);
    std::vector<Curve> all = all_curves(variants, split, metric, Axis::steps), kept;
    std::copy_if(all.begin(), all.end(), std::back_inserter(kept),
                 [](const Curve& c) { return c.after != After::worst && !c.x.empty(); });
    return worst_of(kept.empty() ? all : kept, *better, *better == Better::higher ? range.lower() : range.upper());
}

Curve as_counted(Curve c, const std::string& metric, std::optional<double> worst) {
    if (c.after != After::worst)
        return c;
    if (!worst) {
        c.after = After::nothing;
        return c;
    }
    const bool higher = known_better(metric) == Better::higher;
    for (double& y : c.y) y = higher ? std::max(y, *worst) : std::min(y, *worst);
    return c;
}

}  // namespace attend::compare
