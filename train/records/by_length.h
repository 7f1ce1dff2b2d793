#pragma once
/// The value of a metric by the length of the examples, as in figure 2 of Bahdanau et al. 2015.
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "train/evaluate/example_scores.h"

namespace attend {

/// Whose symbols are counted.
enum class Side { source, target };
/// "source", "target".
const char* side_name(Side side);

/// The lengths from `from` to `to`, both included.
struct LengthBin {
    static constexpr int64_t no_end = std::numeric_limits<int64_t>::max();
    int64_t from = 0, to = 0;
    bool operator==(const LengthBin&) const = default;
};
/// "11-20", "8", "up to 10" (from 0), "31 and more" (no end).
std::string bin_name(const LengthBin& bin);

/// One side's length of every example. None where an example keeps no lengths: the scores are of an
/// older program.
std::optional<std::vector<int64_t>> lengths_of(const ExampleScores& scores, Side side);

/// Bins between edges: each edge is the greatest length of its bin, and the last bin has no end.
/// 10, 20 give "up to 10", "11-20" and "21 and more". Edges as checked_edges() gives them.
std::vector<LengthBin> bins_between(const std::vector<int64_t>& edges);
/// At most this many bins are chosen from data, and at most so many edges can be given.
inline constexpr int64_t most_bins = 10, most_edges = 100;
/// Bins chosen from lengths. Of up to ten different lengths: one for each. Of more: up to ten bins of
/// equal width, multiples of the smallest of 1, 2, 5, 10, 20, 50, ... with which they hold 99 % of the
/// examples; where some are longer the last bin has no end. None of no length.
std::vector<LengthBin> bins_for(std::vector<int64_t> lengths);
/// The rule of bins_for(), for help texts.
inline constexpr const char* bins_rule =
    "chosen from the data: a bin for each length where there are at most ten, else at most ten bins of equal width (1, 2, 5, "
    "10, 20, ...) that hold 99 % of the examples, the last with all that are longer";
/// Edges as a user gives them. Throws Error, beginning with `where`, unless they are rising whole
/// numbers, at least one of them and at most most_edges.
std::vector<int64_t> checked_edges(const std::vector<double>& edges, const std::string& where);

/// What the examples of a bin came to in one metric.
struct BinScores {
    LengthBin bin;
    int64_t examples = 0;          ///< of these lengths
    double length = 0;             ///< their mean; 0 of no example
    std::vector<int64_t> numbers;  ///< in the split, of those that count for the metric
    std::vector<Statistics> of;    ///< as many
    std::optional<double> value;   ///< Metric::score of the sums of `of`: as the value over all examples is made
};
/// One for each bin, empty ones included; examples in no bin are left out, as are those without
/// lengths. Throws Error for a metric that the scores do not hold.
std::vector<BinScores> by_length(const ExampleScores& scores, const std::string& metric, Side side,
                                 const std::vector<LengthBin>& bins);

}  // namespace attend
