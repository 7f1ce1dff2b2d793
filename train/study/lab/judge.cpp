#include <algorithm>
#include <cmath>

#include "train/study/compare/statistics.h"
#include "train/study/lab/judge.h"

namespace attend::lab {

namespace {

// Of vectors d_m: sum_{m != n} d_m d_n / (M (M - 1)), over all of them and with each left out in
// turn.
struct PairMeans {
    double all = 0;
    std::vector<double> without;
};

PairMeans pair_means(const std::vector<std::vector<double>>& d, const Blocks& blocks, int32_t block) {
    const auto counts = [&](std::size_t i) { return blocks.of[i] >= 0 && (block < 0 || blocks.of[i] == block); };
    const auto m = static_cast<double>(d.size());
    std::vector<double> own(d.size()), with_sum(d.size());
    double whole = 0;
    for (std::size_t i = 0; i < d.front().size(); ++i) {
        if (!counts(i))
            continue;
        double sum = 0;
        for (const auto& v : d) sum += v[i];
        whole += sum * sum;
        for (std::size_t g = 0; g < d.size(); ++g) {
            own[g] += d[g][i] * d[g][i];
            with_sum[g] += d[g][i] * sum;
        }
    }
    PairMeans out;
    if (d.size() == 1) {
        out.all = whole;
        return out;
    }
    double squares = 0;
    for (const double x : own) squares += x;
    out.all = (whole - squares) / (m * (m - 1));
    for (std::size_t g = 0; g < d.size() && d.size() > 2; ++g)
        out.without.push_back((whole - 2 * with_sum[g] + own[g] - (squares - own[g])) / ((m - 1) * (m - 2)));
    return out;
}

double root(double x) { return std::sqrt(std::max(0.0, x)); }

// Half the width of the 95 % interval of the pair mean, by the jackknife.
double half_width(const PairMeans& p) {
    if (p.without.empty())
        return 0;
    const auto m = static_cast<double>(p.without.size());
    double mean = 0, squares = 0;
    for (const double x : p.without) mean += x / m;
    for (const double x : p.without) squares += (x - mean) * (x - mean);
    return compare::critical_t(0.05, m - 1) * std::sqrt((m - 1) / m * squares);
}

}  // namespace

std::vector<double> Groups::mean() const {
    std::vector<double> out(means.front().size());
    for (const auto& v : means)
        for (std::size_t i = 0; i < out.size(); ++i) out[i] += v[i] / static_cast<double>(means.size());
    return out;
}

void judge(Row& row, const Groups& groups, const Groups& reference, const Blocks& blocks) {
    const std::vector<double> g = reference.mean();
    double norm = 0;
    for (std::size_t i = 0; i < g.size(); ++i) norm += blocks.of[i] >= 0 ? g[i] * g[i] : 0;
    ensure(norm > 0, "lab: a gradient without size: squared norm {}, elements {}", norm, g.size());
    // Of a reference with noise |g|^2 is estimated as the bias is.
    if (reference.means.size() > 1)
        norm = std::max(pair_means(reference.means, blocks, -1).all, norm * 1e-6);

    std::vector<std::vector<double>> off = groups.means;
    for (std::size_t m = 0; m < off.size(); ++m) {
        const std::vector<double>& from = reference.means[m % reference.means.size()];
        for (std::size_t i = 0; i < off[m].size(); ++i) off[m][i] -= from[i];
    }
    const PairMeans bias = pair_means(off, blocks, -1);
    const double half = half_width(bias);
    row.bias = root(bias.all / norm);
    row.bias_low = root((bias.all - half) / norm);
    row.bias_high = root((bias.all + half) / norm);

    const double n = static_cast<double>(groups.each) * static_cast<double>(groups.means.size());
    row.draws = static_cast<int64_t>(n);
    const std::vector<double> mean = groups.mean();
    std::vector<double> of_mean(blocks.names.size());
    for (std::size_t i = 0; i < mean.size(); ++i)
        if (blocks.of[i] >= 0)
            of_mean[static_cast<std::size_t>(blocks.of[i])] += mean[i] * mean[i];
    for (std::size_t b = 0; b < blocks.names.size(); ++b) {
        double squares = 0;
        for (const auto& of_group : groups.squares) squares += of_group[b];
        const double variance = n > 1 ? std::max(0.0, (squares - n * of_mean[b]) / (n - 1)) / norm : 0;
        row.blocks.push_back({blocks.names[b], variance, root(pair_means(off, blocks, static_cast<int32_t>(b)).all / norm)});
        row.variance += variance;
    }
    for (const double c : groups.cosines) row.cosine += c / n;
}

}  // namespace attend::lab
