#include "train/evaluate/metrics/bootstrap.h"

#include <algorithm>
#include <cmath>

#include "core/base/random.h"

namespace attend {

namespace {

// Quantile q of sorted values: of n values, value i stands at i / (n - 1).
double quantile(const std::vector<double>& sorted, double q) {
    const double place = q * static_cast<double>(sorted.size() - 1);
    const auto below = static_cast<std::size_t>(std::floor(place));
    const std::size_t above = std::min(below + 1, sorted.size() - 1);
    return sorted[below] + (place - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

}  // namespace

void ExampleStatistics::add(const Statistics& of_example) {
    if (of_example.empty())
        return;
    if (examples_ == 0)
        numbers_ = of_example.size();
    ensure(of_example.size() == numbers_, "bootstrap: examples differ in their count of numbers: numbers {}, before {}",
           of_example.size(), numbers_);
    values_.insert(values_.end(), of_example.begin(), of_example.end());
    ++examples_;
}

std::optional<Interval> bootstrap(const Metric& metric, const ExampleStatistics& examples, const BootstrapSetup& setup) {
    require(setup.resamples >= 1, "bootstrap: too few resamples: resamples {}, needed at least 1", setup.resamples);
    require(setup.level > 0 && setup.level < 1, "bootstrap: level is out of range: level {}, allowed between 0 and 1",
            setup.level);
    if (examples.examples() == 0)
        return std::nullopt;
    const auto count = static_cast<uint32_t>(examples.examples());
    std::vector<double> values;
    Statistics sums(examples.numbers());
    for (int64_t k = 0; k < setup.resamples; ++k) {
        Stream stream(setup.seed, fmt::format("bootstrap.{}", k));
        std::ranges::fill(sums, 0);
        for (uint32_t draw = 0; draw < count; ++draw) {
            const std::span<const double> example = examples[stream.below(count)];
            for (std::size_t i = 0; i < sums.size(); ++i) sums[i] += example[i];
        }
        if (const std::optional<double> value = metric.score(sums))
            values.push_back(*value);
    }
    if (values.empty())
        return std::nullopt;
    std::ranges::sort(values);
    return Interval{quantile(values, (1 - setup.level) / 2), quantile(values, (1 + setup.level) / 2)};
}

}  // namespace attend
