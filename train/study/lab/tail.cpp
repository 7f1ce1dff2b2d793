#include "train/study/lab/tail.h"

#include <algorithm>
#include <cmath>

namespace attend::lab {

namespace {

// Mean of ln(1 - b y): the shape that belongs to b.
double shape_at(double b, const std::vector<double>& y) {
    double sum = 0;
    for (const double v : y) sum += std::log1p(-b * v);
    return sum / static_cast<double>(y.size());
}

}  // namespace

// With y the n excesses over the threshold in order, Q their quartile and candidates
//     b_j = 1 / y_n + (1 - sqrt(m / (j - 1/2))) / (3 Q),  j = 1 ... m,  m = 30 + floor(sqrt(n)),
// b is their mean with weights proportional to the profile likelihood
//     L(b) = n (ln(-b / k(b)) - k(b) - 1),  k(b) = mean of ln(1 - b y)
// (Zhang and Stephens 2009, eq. 6 to 8, with k of the opposite sign).
double tail_index(std::vector<double> x) {
    const auto all = static_cast<double>(x.size());
    if (x.size() < 25)
        return 0;
    const auto n = static_cast<std::size_t>(std::min(all / 5, 3 * std::sqrt(all)));
    std::ranges::sort(x);
    const double threshold = x[x.size() - n - 1];
    std::vector<double> y(x.end() - static_cast<std::ptrdiff_t>(n), x.end());
    for (double& v : y) v -= threshold;
    const double quartile = y[static_cast<std::size_t>(static_cast<double>(n) / 4 + 0.5) - 1];
    if (!(quartile > 0))
        return 0;
    const auto m = static_cast<std::size_t>(30 + std::sqrt(static_cast<double>(n)));
    std::vector<double> b(m), likelihood(m);
    for (std::size_t j = 0; j < m; ++j) {
        const double from = 1 - std::sqrt(static_cast<double>(m) / (static_cast<double>(j) + 0.5));
        b[j] = 1 / y.back() + from / (3 * quartile);
        const double k = shape_at(b[j], y);
        likelihood[j] = static_cast<double>(n) * (std::log(-b[j] / k) - k - 1);
    }
    const double most = *std::ranges::max_element(likelihood);
    double sum = 0, weights = 0;
    for (std::size_t j = 0; j < m; ++j) {
        const double weight = std::exp(likelihood[j] - most);
        weights += weight;
        sum += weight * b[j];
    }
    return shape_at(sum / weights, y);
}

}  // namespace attend::lab
