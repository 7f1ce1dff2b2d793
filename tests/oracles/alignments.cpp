#include "tests/oracles/alignments.h"

#include <algorithm>
#include <cmath>

#include "tests/oracles/composites.h"

namespace attend::ATTEND_PRECISION::oracles {

namespace {

// max((alpha - 1) z - tau, 0)^(1 / (alpha - 1))
double entmax_weight(double z, double tau, double alpha) {
    const double above = (alpha - 1) * z - tau;
    return above > 0 ? std::pow(above, 1 / (alpha - 1)) : 0;
}

double entmax_threshold(const std::vector<double>& z, double alpha) {
    const double largest = (alpha - 1) * *std::max_element(z.begin(), z.end());
    double low = largest - 1, high = largest;
    for (;;) {
        const double middle = low + (high - low) / 2;
        if (middle <= low || middle >= high)
            return low;
        double sum = 0;
        for (const double v : z) sum += entmax_weight(v, middle, alpha);
        (sum >= 1 ? low : high) = middle;
    }
}

// x^power for x > 0
Tensor power_of(const Tensor& x, double power) { return exp(scale(log(x), static_cast<real>(power))); }

// sum over columns, kept as [rows, 1]
Tensor sums(const Tensor& x) { return sum(x, 1).reshape({x.dim(0), 1}); }

}  // namespace

std::vector<double> entmax_by_bisection(const std::vector<double>& z, double alpha) {
    if (z.empty())
        return {};
    const double tau = entmax_threshold(z, alpha);
    std::vector<double> y;
    for (const double v : z) y.push_back(entmax_weight(v, tau, alpha));
    return y;
}

Tensor entmax_composite(const Tensor& x, double alpha, const Ranges& ranges, real s) {
    const int64_t rows = x.shape().rows(), columns = x.shape().columns();
    const Tensor z = scale(x.reshape({rows, columns}), static_cast<real>(alpha - 1) * s);
    Tensor support = mask_of(ranges, rows, columns), tau = Tensor::zeros({rows, 1}), empty = Tensor::zeros({rows, 1});
    for (int64_t i = 0; i < rows; ++i) {
        real* const m = support.writable() + i * columns;
        const real* const row = z.data() + i * columns;
        std::vector<double> seen;
        for (int64_t j = 0; j < columns; ++j)
            if (m[j] != 0)
                seen.push_back(static_cast<double>(row[j]) / (alpha - 1));
        if (seen.empty()) {
            empty.writable()[i] = 1;
            continue;
        }
        tau.writable()[i] = static_cast<real>(entmax_threshold(seen, alpha));
        for (int64_t j = 0; j < columns; ++j) m[j] = m[j] != 0 && row[j] > tau.data()[i] ? 1 : 0;
    }
    const Tensor outside = shift(negate(support), 1);
    // u = z - tau on the support, 1 elsewhere so that its logarithm is finite.
    const auto above = [&](const Tensor& t) { return (z - t) * support + outside; };
    const double p = 1 / (alpha - 1);
    const Tensor slope = sums(power_of(above(tau), p - 1).detach() * support);  // of the sum, divided by -p
    const Tensor moved = tau + (sums(power_of(above(tau), p) * support) - shift(negate(empty), 1)) /
                                   (scale(slope, static_cast<real>(p)) + empty);
    return (power_of(above(moved), p) * support).reshape(x.shape());
}

}  // namespace attend::ATTEND_PRECISION::oracles
