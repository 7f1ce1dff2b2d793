#include "train/study/compare/curves.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "core/base/error.h"
#include "train/study/compare/statistics.h"

namespace attend::compare {

namespace {

// Between two values linear; before the first that one; none after the last where that is unknown.
std::optional<double> height_at(const Curve& c, double x, double worst) {
    if (c.x.empty() || x > c.x.back()) {
        if (c.after == After::worst)
            return worst;
        return c.after == After::last && !c.x.empty() ? std::optional(c.y.back()) : std::nullopt;
    }
    const auto right = static_cast<std::size_t>(std::lower_bound(c.x.begin(), c.x.end(), x) - c.x.begin());
    if (right == 0 || c.x[right] == x)
        return c.y[right];
    const double share = (x - c.x[right - 1]) / (c.x[right] - c.x[right - 1]);
    return c.y[right - 1] + share * (c.y[right] - c.y[right - 1]);
}

// What is known of the curves ends here: before `horizon` where a run is stopped or under way.
double known_until(std::span<const Curve> curves, double horizon) {
    for (const Curve& c : curves)
        if (c.after == After::nothing || (c.after == After::last && c.x.empty()))
            horizon = std::min(horizon, c.x.empty() ? -HUGE_VAL : c.x.back());
    return horizon;
}

// The deviations of the runs from their mean, a row for each place: [places, runs]. Places where
// all runs agree up to rounding have none.
std::vector<std::vector<double>> residuals_of(const std::vector<std::vector<double>>& y, const std::vector<Moments>& at) {
    std::vector<std::vector<double>> residuals;
    for (std::size_t k = 0; k < at.size(); ++k) {
        if (at[k].deviation == 0)
            continue;
        residuals.emplace_back();
        for (const std::vector<double>& run : y) residuals.back().push_back(run[k] - at[k].mean);
    }
    return residuals;
}

double angle_between(const std::vector<double>& a, const std::vector<double>& b) {
    double ab = 0, aa = 0, bb = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        ab += a[i] * b[i];
        aa += a[i] * a[i];
        bb += b[i] * b[i];
    }
    return std::acos(std::clamp(ab / std::sqrt(aa * bb), -1.0, 1.0));
}

// The critical value c of a band mean(x) +- c s(x) / sqrt(n): P(max over x of |T(x)| > c) = alpha,
// with T(x) = sqrt(n) (mean(x) - expected(x)) / s(x). At each place T is Student's t with v = n - 1
// degrees of freedom; both its parts vary with x. With places x_1, x_2, ...,
//   P(max |T| > c) <= P(|T_1| > c) + sum_k P(|T_k| <= c, |T_(k+1)| > c),
// and a term of the sum is at most
//   - P(|T_v| > c): Bonferroni's, for places that have little to do with each other;
//   - a_k / pi * (1 + c^2 / v)^(-(v - 1) / 2): how often a smooth t process on the way from x_k to
//     x_(k+1) rises above c or falls below -c, on average (Rice 1944; the density of the Euler
//     characteristic of t fields: Worsley 1994). a_k is the arc cosine of the correlation.
// So correlated neighbours count as a part of a place. a_k is estimated by the angle between the
// residuals (y_i - mean) at x_k and at x_(k+1), vectors over runs: for normal values the expected
// angle is the true a_k, however few runs there are (of bands: Telschow and Schwartzman 2022;
// Liebl and Reimherr 2023). Nothing is drawn. The usual way, the largest |T| of a normal process
// with the estimated correlations (sup-t, Montiel Olea and Plagborg-Moller 2019), is for many runs:
// of five runs its band holds the curve in 64 to 91 %.
double critical_value(const std::vector<std::vector<double>>& residuals, double degrees, double confidence) {
    std::vector<double> angles;
    for (std::size_t k = 1; k < residuals.size(); ++k) angles.push_back(angle_between(residuals[k - 1], residuals[k]));
    const auto beyond = [&](double c) {
        const double one = two_sided_p(c, degrees);
        const double crossings = std::pow(1 + c * c / degrees, -(degrees - 1) / 2) / std::numbers::pi;
        double sum = one;
        for (const double angle : angles) sum += std::min(one, angle * crossings);
        return sum;
    };
    const double alpha = 1 - confidence;
    double low = critical_t(alpha, degrees), high = low;
    while (beyond(high) > alpha) high *= 2;
    while (high - low > 1e-9 * high) {
        const double middle = low + (high - low) / 2;
        (beyond(middle) > alpha ? low : high) = middle;
    }
    return high;
}

}  // namespace

double worst_of(std::span<const Curve> curves, Better better, std::optional<double> bound) {
    std::optional<double> worst = bound;
    if (!bound)
        for (const Curve& c : curves)
            for (const double y : c.y)
                if (!worst || (better == Better::higher ? y < *worst : y > *worst))
                    worst = y;
    return worst.value_or(0);
}

std::optional<double> common_start(std::span<const Curve> curves) {
    std::optional<double> start;
    for (const Curve& c : curves)
        if (!c.x.empty())
            start = std::max(start.value_or(c.x.front()), c.x.front());
    return start;
}

std::optional<double> area_under(const Curve& c, double from, double to, double worst) {
    ensure(from <= to, "area_under: from {}, to {}", from, to);
    if (known_until({&c, 1}, to) < to)
        return std::nullopt;
    if (from == to)
        return height_at(c, from, worst);
    // Beyond the last value it is constant, and may jump there.
    const double last = c.x.empty() ? from : std::clamp(c.x.back(), from, to);
    double sum = (to - last) * (last < to ? *height_at(c, to, worst) : 0);
    double left = from;
    for (const double x : c.x) {
        const double right = std::min(x, last);
        if (right <= left)
            continue;
        sum += (right - left) * (*height_at(c, left, worst) + *height_at(c, right, worst)) / 2;
        left = right;
    }
    return sum / (to - from);
}

Together together(std::span<const Curve> curves, double horizon, double worst) {
    Together all;
    const double end = known_until(curves, horizon);
    all.whole = end == horizon;
    const double start = common_start(curves).value_or(horizon);
    if (curves.empty() || start > end)
        return all;
    for (const Curve& c : curves)
        for (const double x : c.x)
            if (start <= x && x <= end)
                all.x.push_back(x);
    if (all.whole)
        all.x.push_back(horizon);
    std::sort(all.x.begin(), all.x.end());
    all.x.erase(std::unique(all.x.begin(), all.x.end()), all.x.end());
    for (const Curve& c : curves) {
        all.y.emplace_back();
        for (const double x : all.x) all.y.back().push_back(*height_at(c, x, worst));
    }
    return all;
}

Band simultaneous_band(const std::vector<std::vector<double>>& y, double confidence, std::optional<double> least,
                       std::optional<double> most) {
    ensure(!y.empty(), "simultaneous_band: runs {}, least 1", y.size());
    std::vector<Moments> at;
    for (std::size_t k = 0; k < y.front().size(); ++k) {
        std::vector<double> values;
        for (const std::vector<double>& run : y) values.push_back(run.at(k));
        at.push_back(moments_of(values, confidence));
    }
    Band band;
    for (const Moments& m : at) band.mean.push_back(m.mean);
    if (y.size() < 3)  // one direction of residuals says nothing about which places belong together
        return band;
    const std::vector<std::vector<double>> residuals = residuals_of(y, at);
    const auto n = static_cast<double>(y.size());
    band.critical = critical_value(residuals, n - 1, confidence);
    for (const Moments& m : at) {
        const double half = band.critical * m.deviation / std::sqrt(n);
        band.low.push_back(std::max(m.mean - half, std::min(m.mean, least.value_or(-HUGE_VAL))));
        band.high.push_back(std::min(m.mean + half, std::max(m.mean, most.value_or(HUGE_VAL))));
    }
    return band;
}

}  // namespace attend::compare
