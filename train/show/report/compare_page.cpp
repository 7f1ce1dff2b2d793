#include "train/show/report/compare_page.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "core/base/files.h"
#include "core/base/json_text.h"
#include "train/show/report/page.h"
#include "train/study/compare/folder.h"
#include "train/study/compare/run_curves.h"

namespace attend::compare {

namespace {

constexpr std::size_t most_points = 400;  // of a curve: a chart has not many more columns of pixels

template <class T>
std::vector<T> thinned(const std::vector<T>& all) {
    if (all.size() <= most_points)
        return all;
    std::vector<T> some;
    for (std::size_t i = 0; i < most_points; ++i) some.push_back(all[i * (all.size() - 1) / (most_points - 1)]);
    return some;
}

// With 7 digits, which is enough for a chart.
Json short_number(double value) {
    if (!std::isfinite(value))
        return nullptr;
    return parse_json<Json>("number", fmt::format("{:.7g}", value));
}

Json short_numbers(const std::vector<double>& values) {
    Json all = Json::array();
    for (const double x : values) all.push_back(short_number(x));
    return all;
}

Json limits_json(const Limits& l) { return {short_number(l.low), short_number(l.high)}; }

Json curve_json(const MeanCurve& c) {
    return {{"step", c.step},
            {"targets", short_numbers(c.targets)},
            {"seconds", short_numbers(c.seconds)},
            {"mean", short_numbers(c.mean)},
            {"low", short_numbers(c.low)},
            {"high", short_numbers(c.high)},
            {"whole", c.whole}};
}

Json each_json(const RunRecord& run, Split split, const std::string& metric, std::optional<double> area) {
    Json c = {
        {"seed", run.seed},      {"status", ending_name(run.ending)}, {"area", area ? short_number(*area) : Json(nullptr)},
        {"step", Json::array()}, {"targets", Json::array()},          {"seconds", Json::array()},
        {"value", Json::array()}};
    for (const Point& p : thinned(curve_of(run, split, metric))) {
        c["step"].push_back(p.step);
        c["targets"].push_back(short_number(p.targets));
        c["seconds"].push_back(short_number(p.seconds));
        c["value"].push_back(short_number(p.value));
    }
    return c;
}

// The mean of what the runs have at a step, NaN of none.
double mean_at(const std::vector<std::vector<Point>>& curves, double step, double Point::*member) {
    double sum = 0, count = 0;
    for (const std::vector<Point>& curve : curves)
        for (const Point& p : curve)
            if (static_cast<double>(p.step) == step && std::isfinite(p.*member)) {
                sum += p.*member;
                ++count;
            }
    return sum / count;
}

// Everything about a metric on a split.
Json metric_json(const std::vector<VariantRecord>& records, Split split, const std::string& metric, double confidence) {
    const std::optional<double> worst = worst_of_metric(records, split, metric);
    const std::vector<std::vector<std::optional<double>>> areas = areas_of(records, split, metric);
    Json json = {{"split", split_name(split)},
                 {"metric", metric},
                 {"worst", worst ? short_number(*worst) : Json(nullptr)},
                 {"variants", Json::array()}};
    for (std::size_t v = 0; v < records.size(); ++v) {
        Json lines = curve_json(mean_curve(records, v, split, metric, confidence));
        lines["each"] = Json::array();
        for (std::size_t r = 0; r < records[v].runs.size(); ++r)
            lines["each"].push_back(each_json(records[v].runs[r], split, metric, areas[v][r]));
        json["variants"].push_back(std::move(lines));
    }
    return json;
}

// A variant's time until the threshold, in steps, targets or seconds.
Json waiting_json(const std::vector<Waiting>& runs, const std::vector<Waiting>* reference, double horizon, double confidence) {
    const RestrictedMean m = restricted_mean(runs, horizon, confidence);
    Json json = {{"mean", short_number(m.mean)},  {"limits", limits_json(m.limits)}, {"reached", m.reached}, {"runs", m.runs},
                 {"share", limits_json(m.share)}, {"curve", Json::array()},          {"contrast", nullptr}};
    for (const ReachedStep& s : share_reached(runs, horizon, confidence))
        json["curve"].push_back(
            {short_number(s.time), short_number(s.share), short_number(s.limits.low), short_number(s.limits.high)});
    if (reference != nullptr) {
        const TimeContrast c = contrast_of_times(runs, *reference, horizon, confidence);
        json["contrast"] = {{"difference", short_number(c.difference)},
                            {"limits", limits_json(c.limits)},
                            {"earlier", c.earlier},
                            {"later", c.later},
                            {"share_earlier", limits_json(c.share_earlier)}};
    }
    return json;
}

// null without a threshold that was fixed beforehand, or without a run that finished.
Json until_json(const std::vector<VariantRecord>& records, const Settings& s) {
    if (!s.threshold)
        return nullptr;
    Json json = {{"threshold", *s.threshold}};
    for (const Axis axis : {Axis::steps, Axis::targets, Axis::seconds}) {
        const std::optional<double> horizon = common_horizon(records, s.curve(), s.metric, axis);
        if (!horizon)
            continue;
        const std::vector<Waiting> reference = waiting_of(records[s.reference], s, *s.threshold, axis);
        Json variants = Json::array();
        for (std::size_t v = 0; v < records.size(); ++v)
            variants.push_back(waiting_json(waiting_of(records[v], s, *s.threshold, axis),
                                            v == s.reference ? nullptr : &reference, *horizon, s.confidence));
        json[axis_name(axis)] = {{"horizon", short_number(*horizon)}, {"variants", std::move(variants)}};
    }
    return json.contains(axis_name(Axis::steps)) ? json : Json(nullptr);
}

}  // namespace

MeanCurve mean_curve(const std::vector<VariantRecord>& variants, std::size_t variant, Split split, const std::string& metric,
                     double confidence) {
    const std::optional<double> worst = worst_of_metric(variants, split, metric);
    std::vector<Curve> curves;
    std::vector<std::vector<Point>> points;
    double horizon = 0, horizon_of_all = 0;  // the last place of this variant's curves, and of all
    for (const VariantRecord& v : variants)
        for (const RunRecord& run : v.runs) {
            Curve c = run_curve(run, split, metric);
            const double last = c.x.empty() ? 0 : c.x.back();
            horizon_of_all = std::max(horizon_of_all, last);
            if (&v != &variants[variant])
                continue;
            horizon = std::max(horizon, last);
            curves.push_back(as_counted(std::move(c), metric, worst));
            points.push_back(curve_of(run, split, metric));
        }
    if (!budget_of(variants[variant]))  // none finished: those that broke off go on as the worst
        horizon = horizon_of_all;
    if (horizon == 0)  // nothing was measured
        return {};
    Together all = together(curves, horizon, worst.value_or(0));
    all.x = thinned(all.x);
    for (std::vector<double>& y : all.y) y = thinned(y);
    MeanCurve mean;
    mean.whole = all.whole;
    if (all.x.empty())
        return mean;
    const MetricRange range = bounds_of(metric);
    const Band band = simultaneous_band(all.y, confidence, range.lower(), range.upper());
    mean.mean = band.mean;
    mean.low = band.low;
    mean.high = band.high;
    for (const double x : all.x) {
        mean.step.push_back(static_cast<int64_t>(x));
        mean.targets.push_back(mean_at(points, x, &Point::targets));
        mean.seconds.push_back(mean_at(points, x, &Point::seconds));
    }
    return mean;
}

std::string comparison_page(const std::string& name, const Compared& compared) {
    const Settings& settings = compared.table.settings;
    Json data = compared.json.json();
    data["curve"] = split_name(settings.curve());
    data["curves"] = Json::array();
    for (const Split split : {Split::valid, Split::train})
        for (const std::string& metric : metrics_of(compared.records, split)) {
            if (metric.ends_with("_z"))  // of single steps
                continue;
            data["curves"].push_back(metric_json(compared.records, split, metric, settings.confidence));
        }
    data["threshold_given"] = settings.threshold.has_value();
    data["until"] = until_json(compared.records, settings);
    return html_page(name + ": comparison", {"compare.js"}, data);
}

void write_page(const std::filesystem::path& folder, const std::string& name, const Compared& compared) {
    write_file_atomically(folder / page_file, comparison_page(name, compared));
}

}  // namespace attend::compare
