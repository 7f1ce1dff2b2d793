#include "train/study/lab/rank.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "train/study/compare/statistics.h"
#include "train/study/lab/judge.h"

namespace attend::lab {

namespace {

// What sums over all positions has the bias of rounding.
constexpr double rounding = 1e-12;

bool is_sound(const Row& r, Aim aim) {
    return r.skipped.empty() && r.aim == aim && r.unbiased && r.draws > 1 && r.all.scaled && r.all.bias.low <= rounding &&
           r.all.variance.value > 0;
}

// "3.1 (2.5 to 3.9) times": digits of a ratio of thousands say nothing.
constexpr double many_times = 1000;
std::string times(const Interval& i) {
    if (i.value > many_times)
        return "more than 1,000 times";
    return fmt::format("{:.3g} ({:.3g} to {:.3g}) times", i.value, i.low, i.high);
}
std::string times(double ratio) { return ratio > many_times ? "more than 1,000 times" : fmt::format("{:.2g} times", ratio); }

std::string named(const Row& row) { return fmt::format("'{}'{}", row.label, row.heavy() ? " (heavy tails)" : ""); }

// What is said of the others, best first.
std::string others_text(const std::vector<Ranked>& rows, const Row& own) {
    std::string text;
    std::vector<std::string> equal;
    for (const Ranked& r : rows) {
        if (r.row == rows.front().row)
            continue;
        if (!r.distinguishable())
            equal.push_back(named(*r.row));
        else if (r.row == &own)
            text += fmt::format("; the configured {} costs {} as much", named(own), times(r.ratio));
    }
    if (!equal.empty())
        text += fmt::format("; not distinguishable from it: {}", fmt::join(equal, ", "));
    return text;
}

}  // namespace

bool Row::heavy() const {
    return all.heavy() || std::ranges::any_of(blocks, [](const Block& b) { return b.heavy(); });
}

std::optional<Interval> cost_ratio(const Row& row, const Row& to, double alpha) {
    const std::size_t groups = row.log_variance_without.size();
    const double a = row.variance_times_cost(), b = to.variance_times_cost();
    if (groups < 4 || groups != to.log_variance_without.size() || !(a > 0) || !(b > 0))
        return {};
    std::vector<double> without(groups);
    for (std::size_t g = 0; g < groups; ++g) without[g] = row.log_variance_without[g] - to.log_variance_without[g];
    const double variances = jackknife_error(without), clock = std::hypot(row.seconds_error, to.seconds_error);
    // Degrees of freedom as for the variance itself (judge.cpp).
    const double half = compare::critical_t(alpha, std::floor(static_cast<double>(groups) / 2)) * std::hypot(variances, clock);
    return Interval{a / b, a / b * std::exp(-half), a / b * std::exp(half)};
}

std::vector<Ranked> ranking(const Measured& m, Aim aim) {
    std::vector<Ranked> out;
    for (const Row& r : m.rows)
        if (is_sound(r, aim))
            out.push_back({&r, {1, 1, 1}});
    std::ranges::stable_sort(out, {}, [](const Ranked& r) { return r.row->variance_times_cost(); });
    for (std::size_t i = 1; i < out.size(); ++i)
        out[i].ratio = cost_ratio(*out[i].row, *out[0].row, 0.05 / static_cast<double>(out.size() - 1)).value_or(out[i].ratio);
    return out;
}

std::string recommend(const Report& report) {
    const Measured& last = report.checkpoints.back();
    const Row& own = last.rows.front();
    const Row* exact = nullptr;
    for (const Row& r : last.rows)
        if (r.skipped.empty() && r.draws == 1 && r.unbiased)
            exact = &r;
    const std::vector<Ranked> rows = ranking(last, Aim::expected);
    std::string text = "None of the unbiased estimators of the expected objective that draw was measured";
    if (!rows.empty()) {
        text = fmt::format("Of the unbiased estimators of the expected objective that draw, {} has the least variance x time",
                           named(*rows[0].row));
        if (rows[0].row->heavy())
            text += ", but rare draws carry its variance, which may be larger than measured";
        text += others_text(rows, own);
    }
    if (exact != nullptr && exact != &own)
        text += fmt::format("; '{}' ({}) has no variance at all{}", exact->label, aim_name(exact->aim),
                            rows.empty() ? "" : fmt::format(", for {} the time", times(exact->seconds / rows[0].row->seconds)));
    return text + fmt::format(" (step {}, {} rows, {} draws; intervals of 95 % for all comparisons at once).", last.step,
                              report.rows, report.draws);
}

}  // namespace attend::lab
