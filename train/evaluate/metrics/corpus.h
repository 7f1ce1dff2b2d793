#pragma once
/// Metrics of decoded text that are a function of counts over all lines.
#include "train/evaluate/metrics/metric.h"

namespace attend {

/// The metric from 0 to 100 whose value is Counts::score(). Counts::add() counts a line and its references, and
/// Counts::for_each(f) calls f for every count.
template <class Counts>
Metric corpus_metric() {
    return {.statistics =
                [](const EvaluatedExample& e) {
                    Statistics numbers;
                    if (e.references.empty())
                        return numbers;
                    std::vector<std::string_view> references;
                    for (const Answer& r : e.references) references.push_back(r.text);
                    Counts line;
                    line.add(e.decoded.text, references);
                    line.for_each([&](int64_t count) { numbers.push_back(static_cast<double>(count)); });
                    return numbers;
                },
            .score = [](std::span<const double> sums) -> std::optional<double> {
                Counts counts;
                auto sum = sums.begin();
                counts.for_each([&](int64_t& count) { count = static_cast<int64_t>(*sum++); });
                return counts.score();
            },
            .most = 100,
            .needs_decoding = true};
}

}  // namespace attend
