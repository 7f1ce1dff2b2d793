#include "train/study/compare/statistics.h"

#include <algorithm>
#include <boost/math/distributions/non_central_t.hpp>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>
#include <numeric>

#include "core/base/error.h"
#include "core/base/random.h"

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

namespace {

// All 2^n sums with signs of n numbers, sorted.
std::vector<double> signed_sums(std::span<const double> d) {
    std::vector<double> sums = {0.0};
    for (const double x : d) {
        const std::size_t n = sums.size();
        for (std::size_t i = 0; i < n; ++i) {
            sums.push_back(sums[i] + x);
            sums[i] -= x;
        }
    }
    std::sort(sums.begin(), sums.end());
    return sums;
}

// How many sums of a number of each list are at least `level`.
double pairs_at_least(const std::vector<double>& a, const std::vector<double>& b, double level) {
    double count = 0;
    std::size_t j = b.size();  // b[j], ... are large enough for a[i]
    for (const double x : a) {
        while (j > 0 && x + b[j - 1] >= level) --j;
        count += static_cast<double>(b.size() - j);
    }
    return count;
}

double drawn_flip_p(std::span<const double> d, double level) {
    constexpr int64_t draws = int64_t{1} << 17;
    Stream stream(1, "compare.sign_flip");
    int64_t far = 1;  // the signs that were seen
    for (int64_t k = 0; k < draws; ++k) {
        double sum = 0;
        uint32_t bits = 0;
        for (std::size_t i = 0; i < d.size(); ++i) {
            if (i % 32 == 0)
                bits = stream.next();
            sum += (bits >> (i % 32) & 1) != 0 ? d[i] : -d[i];
        }
        far += std::abs(sum) >= level ? 1 : 0;
    }
    return static_cast<double>(far) / static_cast<double>(draws + 1);
}

}  // namespace

std::optional<double> sign_flip_p(std::span<const double> d) {
    if (d.empty())
        return std::nullopt;
    double sum = 0, size = 0;
    for (const double x : d) {
        sum += x;
        size += std::abs(x);
    }
    const double level = std::abs(sum) - rounding * size;
    if (level <= 0)
        return 1;
    constexpr std::size_t most_exact = 40;
    if (d.size() > most_exact)
        return drawn_flip_p(d, level);
    // Each choice is one of the first half of the differences and one of the second; by symmetry as
    // many are far below 0 as above.
    const std::size_t half = d.size() / 2;
    const double above = pairs_at_least(signed_sums(d.first(half)), signed_sums(d.subspan(half)), level);
    return std::min(1.0, 2 * above / std::exp2(static_cast<double>(d.size())));
}

double smallest_flip_p(int64_t pairs) { return std::exp2(static_cast<double>(1 - pairs)); }

int64_t pairs_for_flip(int64_t tests, double alpha) {
    int64_t pairs = 1;
    while (smallest_flip_p(pairs) > alpha / static_cast<double>(std::max<int64_t>(1, tests))) ++pairs;
    return pairs;
}

TrimmedMean trimmed_mean(std::vector<double> values, double confidence) {
    ensure(!values.empty(), "trimmed_mean: values {}, least {}", 0, 1);
    std::sort(values.begin(), values.end());
    const std::size_t g = values.size() / 4, inside = values.size() - 2 * g;
    TrimmedMean m;
    for (std::size_t i = g; i < g + inside; ++i) m.mean += values[i] / static_cast<double>(inside);
    if (inside < 2)
        return m;
    std::fill_n(values.begin(), g, values[g]);
    std::fill_n(values.end() - static_cast<std::ptrdiff_t>(g), g, values[g + inside - 1]);
    const auto n = static_cast<double>(values.size()), h = static_cast<double>(inside);
    m.half_width = critical_t(1 - confidence, h - 1) * moments_of(values).deviation * std::sqrt((n - 1) / (h * (h - 1)));
    return m;
}

double effect_at(double t, int64_t pairs, double probability) {
    ensure(pairs >= 2, "effect_at: pairs {}, least {}", pairs, 2);
    const double degrees = static_cast<double>(pairs) - 1;
    // The probability of at most t falls as the noncentrality rises.
    const auto below = [&](double delta) { return cdf(Noncentral(degrees, delta), t); };
    double low = t - 1, high = t + 1;
    for (double step = 1; below(low) < probability && step < 1e6; step *= 2) low -= step;
    for (double step = 1; below(high) > probability && step < 1e6; step *= 2) high += step;
    for (int i = 0; i < 60; ++i) {
        const double middle = low + (high - low) / 2;
        (below(middle) > probability ? low : high) = middle;
    }
    return (low + (high - low) / 2) / std::sqrt(static_cast<double>(pairs));
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
