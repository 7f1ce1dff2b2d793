#include "train/study/compare/table.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "train/config/words.h"

namespace attend::compare {

namespace {

bool at_least(double value, double level, Better better) { return better == Better::higher ? value >= level : value <= level; }

// a - b, where what rounding alone makes of equal numbers is 0.
double difference(double a, double b) {
    constexpr double rounding_share = 1e-12;
    return std::abs(a - b) <= rounding_share * std::max(std::abs(a), std::abs(b)) ? 0 : a - b;
}

std::optional<double> best_of(const std::vector<Point>& curve, Better better) {
    std::optional<double> best;
    for (const Point& p : curve)
        if (!best || at_least(p.value, *best, better))
            best = p.value;
    return best;
}

// The first point at least as good as `threshold`.
std::optional<Point> reached(const std::vector<Point>& curve, double threshold, Better better) {
    for (const Point& p : curve)
        if (at_least(p.value, threshold, better))
            return p;
    return std::nullopt;
}

// The level that the reference reaches with every seed that finished.
std::optional<double> level_of(const VariantRecord& reference, const Settings& s) {
    std::optional<double> level;
    for (const RunRecord& run : reference.runs) {
        if (run.ending != Ending::finished)
            continue;
        const std::optional<double> best = best_of(curve_of(run, s.curve(), s.metric), s.better);
        if (best && (!level || at_least(*level, *best, s.better)))
            level = best;
    }
    return level;
}

Row row_of(const VariantRecord& variant, const Settings& s, std::optional<double> threshold) {
    Row row;
    row.name = variant.name;
    std::vector<double> values, seconds;
    std::vector<Point> at_threshold;
    std::vector<std::vector<double>> by_step(s.steps.size());
    for (const RunRecord& run : variant.runs) {
        ++row.runs;
        row.finished += run.ending == Ending::finished;
        row.diverged += run.ending == Ending::diverged;
        row.failed += run.ending == Ending::failed;
        row.exploded += run.ending == Ending::finished && !run.exploded.empty();
        row.extended += !run.extended.empty();
        row.values.push_back(value_of(run, s));
        if (row.values.back())
            values.push_back(*row.values.back());
        if (run.ending == Ending::finished)
            seconds.push_back(run.seconds);
        const std::vector<Point> curve = curve_of(run, s.curve(), s.metric);
        row.at_threshold.push_back(threshold ? reached(curve, *threshold, s.better) : std::nullopt);
        if (row.at_threshold.back())
            at_threshold.push_back(*row.at_threshold.back());
        for (std::size_t i = 0; i < s.steps.size(); ++i) {
            const auto after = std::find_if(curve.begin(), curve.end(), [&](const Point& p) { return p.step > s.steps[i]; });
            if (after != curve.begin() && (after != curve.end() || run.steps >= s.steps[i]))
                by_step[i].push_back((after - 1)->value);
        }
    }
    row.moments = moments_of(values, s.confidence);
    row.run_seconds = moments_of(seconds, s.confidence);
    row.steps = moments_of(at_threshold, &Point::step, s.confidence);
    row.targets = moments_of(at_threshold, &Point::targets, s.confidence);
    row.seconds = moments_of(at_threshold, &Point::seconds, s.confidence);
    for (const std::vector<double>& at : by_step) row.at_steps.push_back(moments_of(at, s.confidence));
    return row;
}

// Of a metric beside the one that is compared.
Moments last_values(const VariantRecord& variant, const std::string& metric, Settings s) {
    s.metric = metric;
    s.judged = Judged::last;
    std::vector<double> values;
    for (const RunRecord& run : variant.runs)
        if (const std::optional<double> value = value_of(run, s))
            values.push_back(*value);
    return moments_of(values, s.confidence);
}

Contrast contrast_of(const Row& row, const Row& reference, const Settings& s) {
    std::vector<double> differences;
    for (std::size_t i = 0; i < row.values.size() && i < reference.values.size(); ++i)
        if (row.values[i] && reference.values[i])
            differences.push_back(difference(*row.values[i], *reference.values[i]));
    Contrast c;
    c.differences = moments_of(differences, s.confidence);
    c.p = paired_p(c.differences);
    if (!c.p && c.differences.count >= 2)
        c.verdict = Verdict::no_spread;
    return c;
}

// Corrects the tests for their number, and says what follows.
void judge(std::vector<Row>& rows, const Settings& s) {
    std::vector<Contrast*> tested;
    std::vector<double> p;
    for (Row& row : rows)
        if (row.contrast && row.contrast->p) {
            tested.push_back(&*row.contrast);
            p.push_back(*row.contrast->p);
        }
    const double alpha = 1 - s.confidence;
    const std::vector<double> corrected = holm(p);
    const auto found = std::count_if(corrected.begin(), corrected.end(), [&](double q) { return q <= alpha; });
    for (std::size_t i = 0; i < tested.size(); ++i) {
        Contrast& c = *tested[i];
        const Moments& d = c.differences;
        c.corrected = corrected[i];
        c.level = alpha / static_cast<double>(std::max<int64_t>(1, static_cast<int64_t>(tested.size()) - found));
        if (d.deviation > 0)
            c.detectable = d.deviation * smallest_effect(d.count, c.level, s.power);
        if (corrected[i] <= alpha) {
            c.verdict = (d.mean > 0) == (s.better == Better::higher) ? Verdict::better : Verdict::worse;
            continue;
        }
        c.verdict = Verdict::not_distinguishable;
        if (d.deviation > 0)
            if (const auto needed = pairs_needed(std::abs(d.mean) / d.deviation, c.level, s.power))
                c.seeds_more = std::max<int64_t>(1, *needed - d.count);
    }
}

}  // namespace

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
    const std::vector<Point> curve = curve_of(run, s.split, s.metric);
    if (run.ending != Ending::finished || curve.empty())
        return std::nullopt;
    return s.judged == Judged::best && s.split != Split::test ? best_of(curve, s.better) : curve.back().value;
}

const char* verdict_name(Verdict verdict) {
    constexpr std::array names = {"better", "worse", "not distinguishable", "same difference with every seed", "too few seeds"};
    return names.at(static_cast<std::size_t>(verdict));
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
    table.threshold = settings.threshold ? settings.threshold : level_of(variants[settings.reference], settings);
    if (settings.split != Split::train)
        table.metrics = metrics_of(variants, settings.split);
    for (const VariantRecord& v : variants) {
        table.rows.push_back(row_of(v, settings, table.threshold));
        for (const std::string& metric : table.metrics) table.rows.back().all.push_back(last_values(v, metric, settings));
    }
    for (std::size_t i = 0; i < table.rows.size(); ++i)
        if (i != settings.reference)
            table.rows[i].contrast = contrast_of(table.rows[i], table.rows[settings.reference], settings);
    judge(table.rows, settings);
    return table;
}

}  // namespace attend::compare
