#include "train/records/by_length.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "train/config/words.h"
#include "train/evaluate/scores.h"

namespace attend {

namespace {

int64_t length_of(const ExampleLengths& lengths, Side side) { return side == Side::source ? lengths.source : lengths.target; }

// Bins of a width end at its multiples: 1-10, 11-20, ... Number 0 holds the length 0 as well.
int64_t number_of_bin(int64_t length, int64_t width) { return std::max<int64_t>(0, (length - 1) / width); }

LengthBin numbered_bin(int64_t number, int64_t width) { return {number == 0 ? 0 : number * width + 1, (number + 1) * width}; }

// 1, 2, 5, 10, 20, 50, ...
int64_t wider(int64_t width) {
    int64_t power = 1;
    while (power * 10 <= width) power *= 10;
    return width == 2 * power ? 5 * power : 2 * width;
}

}  // namespace

const char* side_name(Side side) { return side == Side::source ? "source" : "target"; }

std::string bin_name(const LengthBin& bin) {
    if (bin.to == LengthBin::no_end)
        return fmt::format("{} and more", bin.from);
    if (bin.from == bin.to)
        return std::to_string(bin.to);
    return bin.from == 0 ? fmt::format("up to {}", bin.to) : fmt::format("{}-{}", bin.from, bin.to);
}

std::optional<std::vector<int64_t>> lengths_of(const ExampleScores& scores, Side side) {
    std::vector<int64_t> lengths;
    for (const ExampleScores::Example& e : scores.examples) {
        if (!e.lengths)
            return std::nullopt;
        lengths.push_back(length_of(*e.lengths, side));
    }
    return lengths;
}

std::vector<LengthBin> bins_between(const std::vector<int64_t>& edges) {
    std::vector<LengthBin> bins;
    int64_t from = 0;
    for (const int64_t edge : edges) {
        bins.push_back({from, edge});
        from = edge + 1;
    }
    bins.push_back({from, LengthBin::no_end});
    return bins;
}

std::vector<LengthBin> bins_for(std::vector<int64_t> lengths) {
    std::ranges::sort(lengths);
    std::vector<LengthBin> single;
    for (const int64_t length : lengths)
        if (single.empty() || single.back().to != length)
            single.push_back({length, length});
    if (std::ssize(single) <= most_bins)
        return single;
    const std::size_t most = (99 * lengths.size() + 99) / 100 - 1;  // the longest of the shortest 99 %
    const auto last = [&](int64_t width) { return number_of_bin(lengths[most], width); };
    int64_t width = 1;
    while (last(width) - number_of_bin(lengths.front(), width) >= most_bins) width = wider(width);
    std::vector<LengthBin> bins;
    for (int64_t k = number_of_bin(lengths.front(), width); k <= last(width); ++k) bins.push_back(numbered_bin(k, width));
    if (lengths.front() > 0 && bins.front().from == 0)
        bins.front().from = 1;
    if (bins.back().to < lengths.back())
        bins.back().to = LengthBin::no_end;
    return bins;
}

std::vector<int64_t> checked_edges(const std::vector<double>& edges, const std::string& where) {
    require(!edges.empty() && std::ssize(edges) <= most_edges, "{}: wrong count of edges: {}, allowed 1 to {}", where,
            edges.size(), most_edges);
    std::vector<int64_t> out;
    for (const double edge : edges) {
        constexpr double largest = 1e9;
        require(std::trunc(edge) == edge && 0 <= edge && edge <= largest, "{}: not a length: {}, allowed integers from 0 to {}",
                where, edge, largest);
        require(out.empty() || static_cast<double>(out.back()) < edge, "{}: the edges do not rise: {} after {}", where, edge,
                out.empty() ? 0 : out.back());
        out.push_back(static_cast<int64_t>(edge));
    }
    return out;
}

std::vector<BinScores> by_length(const ExampleScores& scores, const std::string& metric, Side side,
                                 const std::vector<LengthBin>& bins) {
    const auto at = std::ranges::find(scores.metrics, metric);
    require(at != scores.metrics.end(), "scores of examples: no such metric: '{}', known {}", metric, joined(scores.metrics));
    const auto m = static_cast<std::size_t>(at - scores.metrics.begin());
    std::vector<BinScores> out;
    for (const LengthBin& bin : bins) out.push_back({.bin = bin, .numbers = {}, .of = {}, .value = {}});
    std::vector<Metric> sums(bins.size(), metric_of(metric));
    for (const ExampleScores::Example& e : scores.examples) {
        if (!e.lengths)
            continue;
        const int64_t length = length_of(*e.lengths, side);
        const auto found =
            std::ranges::find_if(out, [&](const BinScores& b) { return b.bin.from <= length && length <= b.bin.to; });
        if (found == out.end())
            continue;
        ++found->examples;
        found->length += (static_cast<double>(length) - found->length) / static_cast<double>(found->examples);
        if (e.of[m].empty())
            continue;
        found->numbers.push_back(e.number);
        found->of.push_back(e.of[m]);
        sums[static_cast<std::size_t>(found - out.begin())].add(e.of[m]);
    }
    for (std::size_t b = 0; b < out.size(); ++b) out[b].value = sums[b].value();
    return out;
}

}  // namespace attend
