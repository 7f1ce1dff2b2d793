#pragma once
/// What each example of a split came to: the numbers whose sums over examples give every metric.
/// With them a difference between two models can be told from what other examples would have given.
#include "train/evaluate/metrics/metric.h"

namespace attend {

/// Whether an evaluation keeps what each example came to.
enum class KeepScores { no, yes };

struct ExampleScores {
    struct Example {
        int64_t number = 0;          ///< in its split
        std::vector<Statistics> of;  ///< of each metric: Metric::statistics; none where it has nothing to count
    };
    std::vector<std::string> metrics;
    /// Of all sources and references with their numbers: equal where the same examples were scored.
    std::string fingerprint;
    std::vector<Example> examples;  ///< by their numbers
};

}  // namespace attend
