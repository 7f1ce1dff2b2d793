#include "train/study/compare/statistics.h"

#include <algorithm>
#include <boost/math/distributions/non_central_t.hpp>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>
#include <numeric>

#include "core/base/error.h"

namespace attend::compare {

namespace {

// No exceptions of another library: where a tail underflows, 0 is the answer.
using Policy = boost::math::policies::policy<boost::math::policies::promote_double<false>,
                                             boost::math::policies::underflow_error<boost::math::policies::ignore_error>,
                                             boost::math::policies::overflow_error<boost::math::policies::ignore_error>>;
using Student = boost::math::students_t_distribution<double, Policy>;
using Noncentral = boost::math::non_central_t_distribution<double, Policy>;

// Differences of numbers near 1 that should be equal differ by some units of the last place.
constexpr double rounding = 1e-12;

}  // namespace

Moments moments_of(std::span<const double> values, double confidence) {
    Moments m{static_cast<int64_t>(values.size()), std::nan(""), 0, {}};
    if (values.empty())
        return m;
    const auto n = static_cast<double>(values.size());
    m.mean = std::accumulate(values.begin(), values.end(), 0.0) / n;
    if (values.size() == 1)
        return m;
    double squares = 0, largest = 0;
    for (const double x : values) {
        squares += (x - m.mean) * (x - m.mean);
        largest = std::max(largest, std::abs(x));
    }
    m.deviation = std::sqrt(squares / (n - 1));
    if (m.deviation <= rounding * largest)
        m.deviation = 0;
    m.half_width = critical_t(1 - confidence, n - 1) * m.deviation / std::sqrt(n);
    return m;
}

double two_sided_p(double t, double degrees) { return 2 * cdf(complement(Student(degrees), std::abs(t))); }

double critical_t(double alpha, double degrees) { return quantile(complement(Student(degrees), alpha / 2)); }

std::optional<double> paired_p(const Moments& d) {
    if (d.count < 2)
        return std::nullopt;
    if (d.deviation == 0)
        return d.mean == 0 ? std::optional(1.0) : std::nullopt;
    const auto n = static_cast<double>(d.count);
    return two_sided_p(d.mean * std::sqrt(n) / d.deviation, n - 1);
}

double power_of(double effect, int64_t pairs, double alpha) {
    ensure(pairs >= 2 && effect >= 0, "power: pairs {}, least 2, effect {}, least 0", pairs, effect);
    const auto n = static_cast<double>(pairs);
    const double t = critical_t(alpha, n - 1), noncentrality = effect * std::sqrt(n);
    // T' = (Z + noncentrality) / s with s^2 chi-square over its degrees; s is above 6 with a
    // probability below 1e-8, whatever the degrees, and the series of the distribution gets long
    // for what is 1 anyway.
    if (noncentrality > 6 * t + 6)
        return 1;
    const Noncentral distribution(n - 1, noncentrality);
    return cdf(distribution, -t) + cdf(complement(distribution, t));
}

std::optional<int64_t> pairs_needed(double effect, double alpha, double power, int64_t most) {
    if (!(effect > 0))
        return std::nullopt;
    int64_t low = 1, high = 2;  // low is not enough, high is in the end
    while (power_of(effect, high, alpha) < power) {
        if (high == most)
            return std::nullopt;
        low = high;
        high = std::min(most, 2 * high);
    }
    while (high - low > 1) {
        const int64_t middle = low + (high - low) / 2;
        (power_of(effect, middle, alpha) >= power ? high : low) = middle;
    }
    return high;
}

double smallest_effect(int64_t pairs, double alpha, double power) {
    double low = 0, high = 1;
    while (power_of(high, pairs, alpha) < power) high *= 2;
    while (high - low > 1e-6 * high) {
        const double middle = low + (high - low) / 2;
        (power_of(middle, pairs, alpha) >= power ? high : low) = middle;
    }
    return high;
}

std::vector<double> holm(std::span<const double> p) {
    std::vector<std::size_t> order(p.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return p[a] < p[b]; });
    std::vector<double> corrected(p.size());
    double largest = 0;
    for (std::size_t i = 0; i < order.size(); ++i) {
        largest = std::max(largest, std::min(1.0, static_cast<double>(order.size() - i) * p[order[i]]));
        corrected[order[i]] = largest;
    }
    return corrected;
}

}  // namespace attend::compare
