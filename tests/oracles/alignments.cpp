#include "tests/oracles/alignments.h"

#include <algorithm>
#include <cmath>

#include "core/ops.h"
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

Tensor as_matrix(const Tensor& x) { return x.reshape({x.shape().rows(), x.shape().columns()}); }

// [1, 1]: one element of a matrix
Tensor cell(const Tensor& x, int64_t row, int64_t column) { return slice(x.rows(row, row + 1), 1, column, column + 1); }

Range seen_by(const Ranges& ranges, int64_t row, int64_t columns) {
    return ranges.empty() ? Range{0, static_cast<int32_t>(columns)} : ranges[static_cast<std::size_t>(row)];
}

// A matrix of that shape out of its elements
template <class Element>
Tensor by_element(const Shape& shape, Element element) {
    std::vector<Tensor> rows;
    for (int64_t i = 0; i < shape.rows(); ++i) {
        std::vector<Tensor> row;
        for (int64_t j = 0; j < shape.columns(); ++j) row.push_back(element(i, j));
        rows.push_back(concat(row, 1));
    }
    return concat(rows, 0).reshape(shape);
}

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
    const Tensor z = scale(as_matrix(x), static_cast<real>(alpha - 1) * s);
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

Tensor softmax_with_sink_composite(const Tensor& x, const Tensor& sink, const Ranges& ranges, real s) {
    const Tensor z = as_matrix(x), e = exp(scale(z, s)) * mask_of(ranges, z.dim(0), z.dim(1));
    const Tensor nothing = exp(sink.defined() ? sink : Tensor::zeros({1}));
    return (e / (sums(e) + nothing)).reshape(x.shape());
}

Tensor top_softmax_composite(const Tensor& x, int64_t k, const Ranges& ranges, real s) {
    const Tensor z = scale(as_matrix(x), s);
    Tensor kept = Tensor::zeros(z.shape()), empty = Tensor::zeros({z.dim(0), 1});
    for (int64_t i = 0; i < z.dim(0); ++i) {
        const Range r = seen_by(ranges, i, z.dim(1));
        const real* const row = z.data() + i * z.dim(1);
        std::vector<int64_t> order;
        for (int64_t j = r.begin; j < r.end; ++j) order.push_back(j);
        std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) { return row[a] > row[b]; });
        for (std::size_t j = 0; j < order.size() && j < static_cast<std::size_t>(k); ++j)
            kept.writable()[i * z.dim(1) + order[j]] = 1;
        empty.writable()[i] = order.empty() ? 1 : 0;
    }
    const Tensor e = exp(z) * kept;
    return (e / (sums(e) + empty)).reshape(x.shape());
}

Tensor monotonic_alignment_composite(const Tensor& p, const Tensor& previous, const Ranges& ranges) {
    const Tensor choose = as_matrix(p);
    return by_element(p.shape(), [&](int64_t i, int64_t j) {
        const Range r = seen_by(ranges, i, choose.dim(1));
        Tensor stops = Tensor::zeros({1, 1});
        for (int64_t k = r.begin; k <= j && j < r.end; ++k) {
            Tensor reached = previous.defined() ? cell(as_matrix(previous), i, k) : Tensor::full({1, 1}, real(k == r.begin));
            for (int64_t l = k; l < j; ++l) reached = reached * shift(negate(cell(choose, i, l)), 1);
            stops = stops + reached * cell(choose, i, j);
        }
        return stops;
    });
}

Tensor chunkwise_composite(const Tensor& stops, const Tensor& u, int64_t width, const Ranges& ranges) {
    const Tensor a = as_matrix(stops), e = exp(as_matrix(u));
    return by_element(stops.shape(), [&](int64_t i, int64_t j) {
        const Range r = seen_by(ranges, i, a.dim(1));
        Tensor y = Tensor::zeros({1, 1});
        for (int64_t k = j; r.begin <= j && k < std::min<int64_t>(j + width, r.end); ++k) {
            Tensor sum = Tensor::zeros({1, 1});
            for (int64_t l = std::max<int64_t>(r.begin, k - width + 1); l <= k; ++l) sum = sum + cell(e, i, l);
            y = y + cell(a, i, k) * cell(e, i, j) / sum;
        }
        return y;
    });
}

}  // namespace attend::ATTEND_PRECISION::oracles
