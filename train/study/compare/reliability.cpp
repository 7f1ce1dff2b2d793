#include "train/study/compare/reliability.h"

#include <algorithm>
#include <array>
#include <boost/math/distributions/hypergeometric.hpp>
#include <cmath>

#include "core/base/error.h"
#include "train/study/compare/statistics.h"

namespace attend::compare {

namespace {

bool is_better(double a, double b, Better better) { return better == Better::higher ? a > b : a < b; }

}  // namespace

const char* outcome_name(Outcome outcome) {
    constexpr std::array names = {"unknown", "trained", "collapsed", "diverged"};
    return names.at(static_cast<std::size_t>(outcome));
}

std::optional<double> collapse_level(std::vector<double> values, double untrained, double range, Better better) {
    constexpr double apart = 0.5, least = 0.1;
    constexpr std::size_t fewest = 10;
    if (values.size() < fewest)
        return std::nullopt;
    std::sort(values.begin(), values.end());
    const double best = better == Better::higher ? values.back() : values.front();
    const double whole = std::isfinite(range) ? range : std::abs(untrained);
    const double wide = std::max(apart * std::abs(best - untrained), least * whole);
    for (std::size_t i = 1; i < values.size() && is_better(best, untrained, better); ++i)
        if (values[i] - values[i - 1] >= wide)
            return values[i - 1] + (values[i] - values[i - 1]) / 2;
    return std::nullopt;
}

Trained trained_of(std::span<const Outcome> outcomes, double confidence) {
    Trained t;
    t.count = std::ranges::count(outcomes, Outcome::trained);
    t.of = std::ssize(outcomes) - std::ranges::count(outcomes, Outcome::unknown);
    if (t.of > 0)
        t.limits = exact_rate(t.count, t.of, confidence);
    return t;
}

double fisher_p(int64_t successes_a, int64_t trials_a, int64_t successes_b, int64_t trials_b) {
    const int64_t successes = successes_a + successes_b, all = trials_a + trials_b;
    const boost::math::hypergeometric_distribution<double> table(static_cast<uint64_t>(successes),
                                                                 static_cast<uint64_t>(trials_a), static_cast<uint64_t>(all));
    const double seen = pdf(table, static_cast<uint64_t>(successes_a));
    constexpr double rounding = 1e-9;
    double p = 0;
    for (int64_t k = std::max<int64_t>(0, successes - trials_b); k <= std::min(successes, trials_a); ++k)
        if (const double each = pdf(table, static_cast<uint64_t>(k)); each <= seen * (1 + rounding))
            p += each;
    return std::min(1.0, p);
}

double smallest_fisher_p(int64_t successes, int64_t trials_a, int64_t trials_b) {
    const int64_t least = std::max<int64_t>(0, successes - trials_b), most = std::min(successes, trials_a);
    return std::min(fisher_p(least, trials_a, successes - least, trials_b),
                    fisher_p(most, trials_a, successes - most, trials_b));
}

Improvement improvement_of(std::span<const double> a, std::span<const double> b, Better better, double confidence) {
    ensure(!a.empty() && !b.empty(), "improvement_of: values {} and {}, least 1", a.size(), b.size());
    const auto n = static_cast<double>(a.size()), m = static_cast<double>(b.size());
    std::vector<double> of_a(a.size()), of_b(b.size());  // how often each run is better, or worse, than the others'
    Improvement out;
    out.probability = 0;
    for (std::size_t i = 0; i < a.size(); ++i)
        for (std::size_t j = 0; j < b.size(); ++j) {
            const double won = is_better(a[i], b[j], better) ? 1 : is_better(b[j], a[i], better) ? 0 : 0.5;
            of_a[i] += won / m;
            of_b[j] += won / n;
            out.probability += won / (n * m);
        }
    const double var_a = moments_of(of_a).deviation, var_b = moments_of(of_b).deviation;
    const double va = var_a * var_a / n, vb = var_b * var_b / m;
    const double spread = (n > 1 ? va * va / (n - 1) : 0) + (m > 1 ? vb * vb / (m - 1) : 0);
    const double fewer = std::min(n, m);
    const MeanEstimate e{.value = out.probability,
                         .variance = va + vb,
                         .degrees = spread > 0 ? std::max(1.0, (va + vb) * (va + vb) / spread) : std::max(1.0, fewer - 1),
                         .least_variance = 0,
                         .counted = fewer};
    out.limits = limits_of(e, {0, 1}, confidence);
    return out;
}

}  // namespace attend::compare
