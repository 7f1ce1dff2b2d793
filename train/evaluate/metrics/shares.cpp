// Metrics that are a share of the targets, rows, bytes or sources, or a mean over the sources.
#include <algorithm>
#include <limits>
#include <numbers>

#include "train/evaluate/metrics/edit_distance.h"
#include "train/evaluate/metrics/metrics.h"

namespace attend {

namespace {

constexpr double unbounded = std::numeric_limits<double>::infinity();

// The mean over the sources of the smallest fault(reference, decoded) over the references.
template <class F>
Metric mean_of_smallest(double most, F fault) {
    return {.statistics = [fault](const EvaluatedExample& e) -> Statistics {
                if (e.references.empty())
                    return {};
                double smallest = std::numeric_limits<double>::infinity();
                for (const Answer& r : e.references) smallest = std::min(smallest, fault(r, e.decoded));
                return counted(smallest, 1);
            },
            .better = Better::lower,
            .most = most,
            .needs_decoding = true};
}

double predicted_targets(const EvaluatedExample& e) {
    ensure(e.targets.size() == e.predicted.size(), "accuracy: counts differ: targets {}, predictions {}", e.targets.size(),
           e.predicted.size());
    int64_t hits = 0;
    for (std::size_t t = 0; t < e.targets.size(); ++t) hits += e.targets[t] == e.predicted[t] ? 1 : 0;
    return static_cast<double>(hits);
}

double distance_between(const Answer& reference, const Answer& decoded) {
    return static_cast<double>(edit_distance(reference.symbols, decoded.symbols));
}

}  // namespace

Metric make_accuracy() {
    return {.statistics =
                [](const EvaluatedExample& e) { return counted(predicted_targets(e), static_cast<double>(e.targets.size())); },
            .most = 1};
}

Metric make_row_accuracy() {
    return {.statistics =
                [](const EvaluatedExample& e) {
                    const auto all = static_cast<double>(e.targets.size());
                    return counted(predicted_targets(e) == all ? 1 : 0, all > 0 ? 1 : 0);
                },
            .most = 1};
}

Metric make_label_accuracy() {
    return {.statistics =
                [](const EvaluatedExample& e) {
                    return e.label ? counted(e.label->expected == e.label->predicted ? 1 : 0, 1) : Statistics();
                },
            .most = 1};
}

Metric make_bits_per_byte() {
    return {.statistics =
                [](const EvaluatedExample& e) {
                    return counted(e.loss / std::numbers::ln2, static_cast<double>(e.reference.size()));
                },
            .better = Better::lower};
}

Metric make_exact_match() {
    return {.statistics =
                [](const EvaluatedExample& e) {
                    const auto right = std::ranges::count(e.references, e.decoded.text, &Answer::text);
                    return counted(right > 0 ? 1 : 0, e.references.empty() ? 0 : 1);
                },
            .most = 1,
            .needs_decoding = true};
}

Metric make_word_error_rate() {
    return mean_of_smallest(1, [](const Answer& r, const Answer& decoded) { return r.text == decoded.text ? 0.0 : 1.0; });
}

Metric make_symbol_error_rate() {
    return mean_of_smallest(unbounded, [](const Answer& r, const Answer& decoded) {
        return distance_between(r, decoded) / static_cast<double>(std::max<std::size_t>(1, r.symbols.size()));
    });
}

Metric make_edit_distance() { return mean_of_smallest(unbounded, distance_between); }

}  // namespace attend
