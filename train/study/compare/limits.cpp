#include "train/study/compare/limits.h"

#include <algorithm>
#include <array>
#include <boost/math/distributions/normal.hpp>
#include <cmath>
#include <limits>

#include "core/base/error.h"
#include "train/study/compare/statistics.h"

namespace attend::compare {

namespace {

// The variance of the mean is believed down to that of so many times the examples there are: with
// five runs it is far too small by chance now and then.
constexpr double believed = 3;

double half_width(const MeanEstimate& e, double confidence) {
    return critical_t(1 - confidence, e.degrees) * std::sqrt(std::max(e.variance, e.least_variance));
}

Limits cut(const Limits& l, double least, double most) { return {std::max(l.low, least), std::min(l.high, most)}; }

struct MeanSquares {
    double examples = 0, rest = 0;  // variances of the mean
    double squares = 0;             // mean of the squared influences
};

MeanSquares mean_squares(const Sampled& m) {
    const std::size_t runs = m.influence.size(), examples = m.examples();
    const auto s = static_cast<double>(runs), n = static_cast<double>(examples);
    MeanSquares out;
    double between = 0, within = 0;
    for (std::size_t e = 0; e < examples; ++e) {
        double mean = 0;
        for (const std::vector<double>& run : m.influence) mean += run[e] / s;
        between += mean * mean;
        for (const std::vector<double>& run : m.influence) {
            within += (run[e] - mean) * (run[e] - mean);
            out.squares += run[e] * run[e] / (s * n);
        }
    }
    if (examples > 1) {
        out.examples = between / (n - 1) / n;
        out.rest = runs > 1 ? within / ((s - 1) * (n - 1)) / (s * n) : 0;
    }
    return out;
}

// Mean of the squared influences where runs have examples of their own, as many or not.
double mean_square_of_own(const Sampled& m) {
    double sum = 0, count = 0;
    for (const std::vector<double>& run : m.influence)
        for (const double x : run) {
            sum += x * x;
            ++count;
        }
    return count > 0 ? sum / count : 0;
}

double all_examples(const Sampled& m) {
    double count = 0;
    for (const std::vector<double>& run : m.influence) count += static_cast<double>(run.size());
    return count;
}

}  // namespace

bool MetricRange::both() const { return std::isfinite(least) && std::isfinite(most); }
std::optional<double> MetricRange::lower() const { return std::isfinite(least) ? std::optional(least) : std::nullopt; }
std::optional<double> MetricRange::upper() const { return std::isfinite(most) ? std::optional(most) : std::nullopt; }

const char* population_name(Population population) {
    constexpr std::array names = {"new seeds", "new seeds, these examples", "new seeds and new examples"};
    return names.at(static_cast<std::size_t>(population));
}

Limits limits_of(const MeanEstimate& e, const MetricRange& bounds, double confidence) {
    if (!bounds.both()) {
        const double half = half_width(e, confidence);
        return cut({e.value - half, e.value + half}, bounds.least, bounds.most);
    }
    const double range = bounds.most - bounds.least;
    constexpr double rounding = 1e-12;
    const double p = (e.value - bounds.least) / range;
    const double most = e.counted > 0 ? believed * e.counted : std::numeric_limits<double>::infinity();
    double n = e.counted > 0 ? e.counted : e.degrees + 1;
    if (p > rounding && p < 1 - rounding) {
        const double z = quantile(boost::math::normal_distribution<double>(), (1 + confidence) / 2);
        const double t = critical_t(1 - confidence, e.degrees), variance = e.variance / (range * range);
        n = variance > 0 ? std::min(p * (1 - p) / variance * (z / t) * (z / t), most) : e.counted > 0 ? most : n;
    }
    const Limits share = rate_limits(p > 1 - rounding ? n : p < rounding ? 0 : p * n, n, confidence);
    return {bounds.least + range * share.low, bounds.least + range * share.high};
}

Limits difference_limits(const MeanEstimate& a, const MeanEstimate& b, const MeanEstimate& difference,
                         const MetricRange& bounds, double confidence) {
    const double half = half_width(difference, confidence), d = difference.value;
    const Limits student{d - half, d + half};
    if (!bounds.both())
        return student;
    const Limits of_a = limits_of(a, bounds, confidence), of_b = limits_of(b, bounds, confidence);
    const double variance = std::max(difference.variance, difference.least_variance), root = std::sqrt(a.variance * b.variance);
    const double r = root > 0 ? std::clamp((a.variance + b.variance - variance) / (2 * root), -1.0, 1.0) : 0;
    const auto distance = [&](double x, double y) { return std::sqrt(std::max(0.0, x * x - 2 * r * x * y + y * y)); };
    const Limits mover{d - distance(a.value - of_a.low, of_b.high - b.value),
                       d + distance(of_a.high - a.value, b.value - of_b.low)};
    const double range = bounds.most - bounds.least;
    return cut({std::min(mover.low, student.low), std::max(mover.high, student.high)}, -range, range);
}

std::optional<MeanEstimate> estimated(const Sampled& m, Population population) {
    const Moments moments = moments_of(m.values);
    const bool known = m.examples() > 0;
    if (m.values.empty() || (m.values.size() == 1 && !known))
        return std::nullopt;
    const auto s = static_cast<double>(m.values.size());
    MeanEstimate out{.value = moments.mean,
                     .variance = moments.deviation * moments.deviation / s,
                     .degrees = std::max(1.0, s - 1),
                     .least_variance = 0,
                     .counted = all_examples(m)};
    if (!known)
        return out;
    const auto n = static_cast<double>(m.examples());
    if (!m.same_examples && m.values.size() > 1) {
        out.least_variance = mean_square_of_own(m) / (believed * out.counted);
        return out;
    }
    const MeanSquares squares = mean_squares(m);
    out.least_variance = squares.squares / (believed * out.counted);
    if (m.values.size() == 1) {
        out.variance = squares.examples;
        out.degrees = std::max(1.0, n - 1);
        out.counted = n;
        return out;
    }
    if (population != Population::seeds_and_examples)
        return out;
    const double seeds = out.variance, examples = squares.examples, rest = squares.rest;
    const double both = seeds + examples - rest;
    const double own = std::max(1.0, n - 1);
    const double spread = seeds * seeds / (s - 1) + examples * examples / own + rest * rest / ((s - 1) * own);
    if (spread > 0)
        out.degrees = std::clamp(both * both / spread, 1.0, n + s);
    out.variance = std::max({both, seeds, examples});
    out.counted = n;  // an example that all runs answer alike tells of itself once
    return out;
}

}  // namespace attend::compare
