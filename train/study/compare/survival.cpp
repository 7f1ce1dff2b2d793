#include "train/study/compare/survival.h"

#include <algorithm>
#include <boost/math/distributions/beta.hpp>
#include <cmath>

#include "core/base/error.h"

namespace attend::compare {

namespace {

// Reached at `time`, or known to be without it until then.
struct Known {
    double time = 0;
    bool reached = false;
};

Known known_of(const Waiting& w, double horizon) {
    if (w.reached && *w.reached <= horizon)
        return {*w.reached, true};
    return {w.reached || w.otherwise == Unreached::never ? horizon : std::min(w.end, horizon), false};
}

// Least and most that min(time, horizon) can be.
Limits possible(const Waiting& w, double horizon) {
    const Known k = known_of(w, horizon);
    return {k.time, k.reached ? k.time : horizon};
}

bool is_before(const Known& a, const Known& b) { return a.reached && (b.reached ? a.time < b.time : a.time <= b.time); }

// A product of independent variables that follow beta distributions, taken as one that follows the
// beta distribution with the same mean and mean square: exact where nothing is censored.
struct BetaProduct {
    double mean = 1, square = 1;
    void times(double a, double b) {
        mean *= a / (a + b);
        square *= a / (a + b) * (a + 1) / (a + b + 1);
    }
    double quantile(double p) const {
        const double spread = square - mean * mean;
        if (!(mean > 0) || !(spread > 0))  // no factor, or one that is 0
            return mean;
        const double scale = (mean - square) / spread;
        return boost::math::quantile(boost::math::beta_distribution<double>(mean * scale, (1 - mean) * scale), p);
    }
};

}  // namespace

std::optional<double> first_reaching(const Curve& curve, double threshold, Better better) {
    for (std::size_t i = 0; i < curve.x.size(); ++i)
        if (better == Better::higher ? curve.y[i] >= threshold : curve.y[i] <= threshold)
            return curve.x[i];
    return std::nullopt;
}

// Limits of S(t), the share without, by products of beta distributions (Fay, Brittain and Proschan
// 2013, eq. 4 and 5):
//   high(S) = quantile of B = product over t_i <= t of Beta(Y_i - d_i + 1, d_i) at 1 - alpha / 2
//   low(S)  = quantile of B times Beta(Y, 1)                                    at alpha / 2,
// where Y runs are known to be without it just after t (0 of none). Without censoring B is
// Beta(n - x + 1, x) for x of n runs, and these are Clopper and Pearson's limits.
std::vector<ReachedStep> share_reached(std::span<const Waiting> runs, double horizon, double confidence) {
    ensure(!runs.empty(), "share_reached: runs {}, least 1", runs.size());
    std::vector<Known> known;
    for (const Waiting& w : runs) known.push_back(known_of(w, horizon));
    std::vector<double> times = {0};
    for (const Known& k : known)
        if (k.reached)
            times.push_back(k.time);
    std::sort(times.begin(), times.end());
    times.erase(std::unique(times.begin(), times.end()), times.end());
    std::vector<ReachedStep> steps;
    const double tail = (1 - confidence) / 2;
    double without = 1;
    BetaProduct upper;
    for (const double t : times) {
        const auto at_risk = std::count_if(known.begin(), known.end(), [&](const Known& k) { return k.time >= t; });
        const auto reach = std::count_if(known.begin(), known.end(), [&](const Known& k) { return k.reached && k.time == t; });
        const auto y = static_cast<double>(at_risk), d = static_cast<double>(reach);
        if (reach > 0) {
            without *= 1 - d / y;
            upper.times(y - d + 1, d);
        }
        BetaProduct lower = upper;
        lower.times(y - d, 1);
        steps.push_back({t, 1 - without, {1 - upper.quantile(1 - tail), 1 - lower.quantile(tail)}, at_risk});
    }
    return steps;
}

RestrictedMean restricted_mean(std::span<const Waiting> runs, double horizon, double confidence) {
    const std::vector<ReachedStep> steps = share_reached(runs, horizon, confidence);
    RestrictedMean m;
    for (std::size_t i = 0; i < steps.size(); ++i)
        m.mean += (1 - steps[i].share) * ((i + 1 < steps.size() ? steps[i + 1].time : horizon) - steps[i].time);
    std::vector<double> least, most;
    for (const Waiting& w : runs) {
        const Limits p = possible(w, horizon);
        least.push_back(p.low);
        most.push_back(p.high);
        m.reached += known_of(w, horizon).reached;
    }
    m.runs = static_cast<int64_t>(runs.size());
    m.limits = bounded_mean(least, most, 0, horizon, confidence);
    m.share = steps.back().limits;
    return m;
}

// A run that is censored at c < horizon can have any time in [c, horizon].
TimeContrast contrast_of_times(std::span<const Waiting> variant, std::span<const Waiting> reference, double horizon,
                               double confidence) {
    ensure(variant.size() == reference.size(), "contrast_of_times: seeds {} and {}", variant.size(), reference.size());
    TimeContrast c;
    std::vector<double> least, most;
    for (std::size_t i = 0; i < variant.size(); ++i) {
        const Limits v = possible(variant[i], horizon), r = possible(reference[i], horizon);
        least.push_back(v.low - r.high);
        most.push_back(v.high - r.low);
        const Known a = known_of(variant[i], horizon), b = known_of(reference[i], horizon);
        c.earlier += is_before(a, b);
        c.later += is_before(b, a);
    }
    c.difference = restricted_mean(variant, horizon, confidence).mean - restricted_mean(reference, horizon, confidence).mean;
    c.limits = bounded_mean(least, most, -horizon, horizon, confidence);
    if (c.earlier + c.later > 0)
        c.share_earlier = exact_rate(c.earlier, c.earlier + c.later, confidence);
    return c;
}

}  // namespace attend::compare
