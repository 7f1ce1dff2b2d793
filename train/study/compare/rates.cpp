#include "train/study/compare/rates.h"

#include <algorithm>
#include <boost/math/distributions/beta.hpp>
#include <vector>

#include "core/base/error.h"

namespace attend::compare {

namespace {

// P(sum over i of w_i x_i <= t) for weights w uniform on the simplex (w_i >= 0, sum 1), and
// x_0 <= ... <= x_n, least < t < most. The sum's density is the B-spline of degree n - 1 with the
// knots x (Curry and Schoenberg 1966); its integral is the sum of the B-splines of degree n that
// begin at x_0 or later, where beyond both ends the knots go on with the same value. So it is a
// spline with coefficients 1 there and 0 before, and de Boor's recursion (1972) takes means alone.
double simplex_mean_below(const std::vector<double>& x, double t) {
    const auto n = static_cast<int64_t>(x.size()) - 1;
    const auto knot = [&](int64_t i) { return x[static_cast<std::size_t>(std::clamp<int64_t>(i, 0, n))]; };
    const int64_t k = std::upper_bound(x.begin(), x.end(), t) - x.begin() - 1;  // x_k <= t < x_(k+1)
    std::vector<double> d;
    for (int64_t j = k - n; j <= k; ++j) d.push_back(j >= 0 ? 1 : 0);
    for (int64_t r = 1; r <= n; ++r)
        for (int64_t j = k; j >= k - n + r; --j) {
            const double share = (t - knot(j)) / (knot(j + n - r + 1) - knot(j));
            const auto i = static_cast<std::size_t>(j - (k - n));
            d[i] = (1 - share) * d[i - 1] + share * d[i];
        }
    return d.back();
}

// The t with that probability.
double simplex_mean_quantile(std::vector<double> x, double probability) {
    std::sort(x.begin(), x.end());
    double low = x.front(), high = x.back();
    const double small = 1e-12 * (high - low);
    while (high - low > small) {
        const double middle = low + (high - low) / 2;
        if (middle <= low || middle >= high)  // no number lies between
            break;
        (simplex_mean_below(x, middle) < probability ? low : high) = middle;
    }
    return low + (high - low) / 2;
}

}  // namespace

// P(X >= x) of the binomial distribution with n trials is the beta distribution's P(Y <= p) with
// parameters x and n - x + 1 (Johnson, Kotz and Kemp 1992, 3.4), so
//   low  = quantile of Beta(x, n - x + 1) at alpha / 2
//   high = quantile of Beta(x + 1, n - x) at 1 - alpha / 2
Limits exact_rate(int64_t successes, int64_t trials, double confidence) {
    ensure(trials >= 1 && 0 <= successes && successes <= trials, "exact_rate: successes {}, trials {}", successes, trials);
    ensure(0 < confidence && confidence < 1, "exact_rate: confidence {}, above 0 and below 1", confidence);
    return rate_limits(static_cast<double>(successes), static_cast<double>(trials), confidence);
}

Limits rate_limits(double x, double n, double confidence) {
    using Beta = boost::math::beta_distribution<double>;
    const double tail = (1 - confidence) / 2;
    return {x <= 0 ? 0 : quantile(Beta(x, n - x + 1), tail), x >= n ? 1 : quantile(complement(Beta(x + 1, n - x), tail))};
}

Limits bounded_mean(std::span<const double> values, double least, double most, double confidence) {
    return bounded_mean(values, values, least, most, confidence);
}

// The distribution function at the n sorted values is distributed as the n sorted values of uniform
// ones, whose n + 1 gaps are uniform on the simplex. With as little as possible of the distribution
// to the left of each value, all of a gap lies at its right end:
//   high = quantile of w_0 x_1 + ... + w_(n-1) x_n + w_n most  at 1 - alpha / 2
//   low  = quantile of w_0 least + w_1 x_1 + ... + w_n x_n     at alpha / 2
Limits bounded_mean(std::span<const double> lower, std::span<const double> upper, double least, double most,
                    double confidence) {
    ensure(!lower.empty() && lower.size() == upper.size(), "bounded_mean: values {} and {}, least 1", lower.size(),
           upper.size());
    ensure(0 < confidence && confidence < 1, "bounded_mean: confidence {}, above 0 and below 1", confidence);
    for (std::size_t i = 0; i < lower.size(); ++i)
        ensure(least <= lower[i] && lower[i] <= upper[i] && upper[i] <= most, "bounded_mean: value {} to {}, range {} to {}",
               lower[i], upper[i], least, most);
    const double tail = (1 - confidence) / 2;
    std::vector<double> below(lower.begin(), lower.end()), above(upper.begin(), upper.end());
    below.push_back(least);
    above.push_back(most);
    return {simplex_mean_quantile(std::move(below), tail), simplex_mean_quantile(std::move(above), 1 - tail)};
}

}  // namespace attend::compare
