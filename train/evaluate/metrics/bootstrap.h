#pragma once
/// Confidence intervals of metrics by resampling the examples (Efron 1979; for BLEU: Koehn 2004).
#include <optional>

#include "train/evaluate/metrics/metric.h"

namespace attend {

/// Metric::statistics of many examples; those that count nothing are left out.
class ExampleStatistics {
  public:
    /// Throws MachineError when the count of numbers is another one than before.
    void add(const Statistics& of_example);
    int64_t examples() const { return examples_; }
    std::size_t numbers() const { return numbers_; }
    std::span<const double> operator[](int64_t example) const {
        return std::span(values_).subspan(static_cast<std::size_t>(example) * numbers_, numbers_);
    }

  private:
    std::vector<double> values_;  // example after example
    std::size_t numbers_ = 0;
    int64_t examples_ = 0;
};

struct Interval {
    double low = 0, high = 0;
};

struct BootstrapSetup {
    int64_t resamples = 1000;
    uint64_t seed = 1;
    double level = 0.95;  ///< share of the resamples that lie in the interval
};

/// The percentile interval: the metric of `resamples` sets of as many examples as there are, drawn
/// with replacement, and of these values the quantiles (1 - level) / 2 and (1 + level) / 2, between
/// two values interpolated. Resample k is drawn from the stream (seed, "bootstrap.k"), so metrics
/// with the same examples see the same resamples. None when there is no example or no resample has
/// a value. Throws Error unless resamples >= 1 and 0 < level < 1.
std::optional<Interval> bootstrap(const Metric& metric, const ExampleStatistics& examples, const BootstrapSetup& setup);

}  // namespace attend
