#pragma once
/// What each example of a split came to: the numbers whose sums over examples give every metric.
/// With them a difference between two models can be told from what other examples would have given.
#include <optional>

#include "train/evaluate/metrics/metric.h"

namespace attend {

/// Whether an evaluation keeps what each example came to.
enum class KeepScores { no, yes };

/// How long an example is, in symbols.
struct ExampleLengths {
    int64_t source = 0;  ///< 0 where there are no sources
    int64_t target = 0;  ///< of its own target, eos excluded; without sources of all that the model reads of it
};

struct ExampleScores {
    struct Example {
        int64_t number = 0;                          ///< in its split
        std::vector<Statistics> of;                  ///< of each metric: Metric::statistics; none where it has nothing to count
        std::optional<ExampleLengths> lengths = {};  ///< none where a file of older programs keeps none
    };
    std::vector<std::string> metrics;
    /// Of all sources and references with their numbers: equal where the same examples were scored.
    std::string fingerprint;
    std::vector<Example> examples;  ///< by their numbers
};

}  // namespace attend
