#include "train/study/lab/judge.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "train/study/compare/statistics.h"
#include "train/study/lab/tail.h"

namespace attend::lab {

namespace {

double root(double x) { return std::sqrt(std::max(0.0, x)); }

double sum_of(const std::vector<double>& x) { return std::accumulate(x.begin(), x.end(), 0.0); }

}  // namespace

std::vector<double> Groups::mean() const {
    std::vector<double> out(means.front().size());
    for (const auto& v : means)
        for (std::size_t i = 0; i < out.size(); ++i) out[i] += v[i] / static_cast<double>(means.size());
    return out;
}

Gram& Gram::operator+=(const Gram& other) {
    for (std::size_t i = 0; i < products_.size(); ++i) products_[i] += other.products_[i];
    return *this;
}

std::vector<Gram> grams_of(const std::vector<std::vector<double>>& vectors, const Blocks& blocks) {
    const std::size_t m = vectors.size();
    std::vector<Gram> out(blocks.names.size(), Gram(m));
    for (std::size_t e = 0; e < blocks.of.size(); ++e) {
        if (blocks.of[e] < 0)
            continue;
        Gram& g = out[static_cast<std::size_t>(blocks.of[e])];
        for (std::size_t i = 0; i < m; ++i)
            for (std::size_t j = 0; j <= i; ++j) g.at(i, j) += vectors[i][e] * vectors[j][e];
    }
    for (Gram& g : out)
        for (std::size_t i = 0; i < m; ++i)
            for (std::size_t j = 0; j < i; ++j) g.at(j, i) = g.at(i, j);
    return out;
}

// With D the mean of the M vectors d_m, S their covariance and n = M - 1,
//     U = sum_{m != n} d_m d_n / (M (M - 1)),    E U = |mu|^2,
//     Var U = 4 mu' C mu / M + 2 tr(C^2) / (M (M - 1)),    C the covariance of a vector
// (Bai and Saranadasa 1996, section 3). tr(C^2) is estimated by n / (n - 1) (tr(S^2) - tr(S)^2 / n),
// theirs but for a factor that goes to 1, and mu' C mu by A = D' S D - tr(C^2) / M.
// The interval consists of the values q of |mu|^2 with
//     (q - U)^2 <= t^2 (4 a(q) / M + 2 tr(C^2) / (M (M - 1))),    t of Student's distribution,
// as Wilson 1927 does for shares: the spread is that which U would have if q were right. With
// a(q) = A at q = U, a(q) is A q / U below, where mu has the direction that was found, and above
// A + (q - U) D' S D / |D|^2.
Interval squared_length(const Gram& d) {
    const std::size_t count = d.vectors();
    if (count == 1)
        return {d.at(0, 0), d.at(0, 0), d.at(0, 0)};
    ensure(count >= 4, "lab: too few groups for an interval: groups {}, least {}", count, 4);
    const auto m = static_cast<double>(count);
    const double n = m - 1;
    std::vector<double> with_mean(count);  // d_m' D
    double own = 0;
    for (std::size_t i = 0; i < count; ++i) {
        own += d.at(i, i);
        for (std::size_t j = 0; j < count; ++j) with_mean[i] += d.at(i, j) / m;
    }
    const double length = sum_of(with_mean) / m;  // |D|^2
    double trace = 0, trace_of_square = 0, along = 0;
    for (std::size_t i = 0; i < count; ++i) {
        along += (with_mean[i] - length) * (with_mean[i] - length) / n;  // D' S D
        for (std::size_t j = 0; j < count; ++j) {
            const double centred = d.at(i, j) - with_mean[i] - with_mean[j] + length;
            trace += i == j ? centred / n : 0;
            trace_of_square += centred * centred / (n * n);
        }
    }
    const double spread = n / (n - 1) * std::max(0.0, trace_of_square - trace * trace / n);
    const double u = (m * m * length - own) / (m * n);
    const double across = u > 0 ? std::max(0.0, along - spread / m) : 0;  // A
    const double t = compare::critical_t(0.05, n), t2 = t * t;
    const double at_u = t2 * (4 * across / m + 2 * spread / (m * n));
    const double below = u > 0 ? 2 * t2 * across / (m * u) : 0;
    const double above = length > 0 ? 2 * t2 * along / (m * length) : 0;
    const double less = std::min(0.0, u);  // above it, not above U, a(q) grows from 0
    const double high = u + above + root(above * above + at_u + 2 * above * less);
    const double low = u + below - root(below * below + at_u);
    return {u, std::max(0.0, low), std::max(0.0, high)};
}

namespace {

// q / g, g with its own interval; both distances of the limits are added as those of independent
// estimates (Zou and Donner 2008). Not below 0.
Interval quotient(const Interval& q, const Interval& g) {
    const double value = std::max(0.0, q.value) / g.value;
    const double low = std::hypot((std::max(0.0, q.value) - q.low) / g.value, value * (1 - g.value / g.high));
    const double high = std::hypot((q.high - std::max(0.0, q.value)) / g.value, value * (g.value / g.low - 1));
    return {value, std::max(0.0, value - low), value + high};
}

// Sum over a block's elements of the variance of an estimate, of n estimates with the given sum of
// squared lengths and the length of their mean.
double variance_of(double squares, double mean_square, double n) {
    const double variance = n > 1 ? (squares - n * mean_square) / (n - 1) : 0;
    return variance > 1e-14 * mean_square ? variance : 0;  // less is rounding
}

struct Variance {
    Interval of;
    std::vector<double> log_without;  // its logarithm without each group
};

// The jackknife over groups of the logarithm of a variance (Miller 1968), with the t of half as many
// degrees of freedom as there are groups: estimates that leave a group out vary less where a rare
// large draw is missing from all of them, and with n - 1 an interval of 95 % covers as little as 91 %
// of moderately skewed draws (lab_test64.cpp measures).
Variance variance_of(const Gram& means, const std::vector<double>& squares, double each) {
    const std::size_t count = squares.size();
    const auto m = static_cast<double>(count);
    std::vector<double> with_sum(count);
    double length = 0;
    for (std::size_t i = 0; i < count; ++i) {
        for (std::size_t j = 0; j < count; ++j) with_sum[i] += means.at(i, j);
        length += with_sum[i];
    }
    const double all = sum_of(squares), value = variance_of(all, length / (m * m), m * each);
    Variance out{{value, value, value}, {}};
    if (count == 1 || value <= 0)
        return out;
    for (std::size_t i = 0; i < count; ++i) {
        const double rest = (length - 2 * with_sum[i] + means.at(i, i)) / ((m - 1) * (m - 1));
        const double without = variance_of(all - squares[i], rest, (m - 1) * each);
        out.log_without.push_back(std::log(std::max(without, value * 1e-12)));
    }
    const double half = compare::critical_t(0.05, std::floor(m / 2)) * jackknife_error(out.log_without);
    out.of = {value, value * std::exp(-half), value * std::exp(half)};
    return out;
}

// The numbers of one part at every draw, group by group.
struct DrawsOfPart {
    std::vector<double> squares, products;
};

DrawsOfPart draws_of(const Groups& groups, std::size_t blocks, std::size_t first, std::size_t last) {
    DrawsOfPart out;
    for (std::size_t g = 0; g < groups.squares.size(); ++g)
        for (std::size_t i = 0; i < groups.squares[g].size(); i += blocks) {
            out.squares.push_back(0);
            out.products.push_back(0);
            for (std::size_t b = first; b < last; ++b) {
                out.squares.back() += groups.squares[g][i + b];
                out.products.back() += groups.products.empty() ? 0 : groups.products[g][i + b];
            }
        }
    return out;
}

// Tail of |estimate - g|^2 and the mean cosine.
void look_at_draws(Block& block, const DrawsOfPart& draws, double length) {
    std::vector<double> off;
    double cosines = 0;
    for (std::size_t i = 0; i < draws.squares.size(); ++i) {
        off.push_back(std::max(0.0, draws.squares[i] - 2 * draws.products[i] + length));
        if (draws.squares[i] > 0 && length > 0)
            cosines += draws.products[i] / std::sqrt(draws.squares[i] * length);
    }
    if (block.scaled)
        block.cosine = cosines / static_cast<double>(off.size());
    if (off.size() == 1)
        return;
    const double sum = sum_of(off);
    block.largest = sum > 0 ? *std::ranges::max_element(off) / sum : 0;
    if (static_cast<int64_t>(off.size()) >= draws_for_tail)
        block.tail = tail_index(std::move(off));
}

// What a part is judged by.
struct Part {
    const Gram& off;    // differences from the reference
    const Gram& means;  // of groups
    Interval gradient;  // |g|^2
    double least;       // |g|^2 that is told from 0
    double length;      // of the reference's mean, squared
    DrawsOfPart draws;
};

Variance fill(Block& block, const Part& part, int64_t each) {
    std::vector<double> squares(part.means.vectors());
    for (std::size_t i = 0; i < part.draws.squares.size(); ++i)
        squares[i / static_cast<std::size_t>(each)] += part.draws.squares[i];
    Variance variance = variance_of(part.means, squares, static_cast<double>(each));
    block.gradient = root(part.gradient.value);
    block.scaled = part.gradient.low > part.least;
    look_at_draws(block, part.draws, part.length);
    if (!block.scaled)
        return variance;
    const Interval bias = quotient(squared_length(part.off), part.gradient);
    block.bias = {root(bias.value), root(bias.low), root(bias.high)};
    const Interval g = part.gradient;
    const Interval& v = variance.of;
    if (v.value > 0) {  // on the logarithmic scale, as there
        const double low = std::hypot(std::log(v.value / v.low), std::log(g.high / g.value)),
                     high = std::hypot(std::log(v.high / v.value), std::log(g.value / g.low));
        const double value = v.value / g.value;
        block.variance = {value, value * std::exp(-low), value * std::exp(high)};
    }
    return variance;
}

Gram total(const std::vector<Gram>& of_blocks) {
    Gram sum(of_blocks.front().vectors());
    for (const Gram& g : of_blocks) sum += g;
    return sum;
}

double length_of_mean(const Gram& g) {
    double sum = 0;
    for (std::size_t i = 0; i < g.vectors(); ++i)
        for (std::size_t j = 0; j < g.vectors(); ++j) sum += g.at(i, j);
    return sum / static_cast<double>(g.vectors() * g.vectors());
}

}  // namespace

double jackknife_error(const std::vector<double>& without) {
    const auto m = static_cast<double>(without.size());
    const double mean = sum_of(without) / m;
    double squares = 0;
    for (const double x : without) squares += (x - mean) * (x - mean);
    return std::sqrt((m - 1) / m * squares);
}

void judge(Row& row, const Groups& groups, const Groups& reference, const Blocks& blocks) {
    std::vector<std::vector<double>> differences = groups.means;
    for (std::size_t m = 0; m < differences.size(); ++m) {
        const std::vector<double>& from = reference.means[m % reference.means.size()];
        for (std::size_t i = 0; i < differences[m].size(); ++i) differences[m][i] -= from[i];
    }
    const std::vector<Gram> off = grams_of(differences, blocks), means = grams_of(groups.means, blocks),
                            references = grams_of(reference.means, blocks);
    row.draws = groups.each * static_cast<int64_t>(groups.means.size());
    const std::size_t count = blocks.names.size();
    const Gram all = total(references);
    // Rounding leaves something of a gradient that is 0.
    const Part whole{total(off), total(means), squared_length(all), 0, length_of_mean(all), draws_of(groups, count, 0, count)};
    row.all.name = "all";
    Variance variance = fill(row.all, whole, groups.each);
    row.log_variance_without = std::move(variance.log_without);
    const double least = std::max(0.0, whole.gradient.value) * 1e-24;
    for (std::size_t b = 0; b < count; ++b) {
        Block block;
        block.name = blocks.names[b];
        const Part part{off[b],
                        means[b],
                        squared_length(references[b]),
                        least,
                        length_of_mean(references[b]),
                        draws_of(groups, count, b, b + 1)};
        const double own = fill(block, part, groups.each).of.value;
        block.share = variance.of.value > 0 ? own / variance.of.value : 0;
        row.blocks.push_back(std::move(block));
    }
}

}  // namespace attend::lab
