#pragma once
/// What an evaluation reports: numbers under names. Loss and perplexity follow from the loss alone;
/// the others are rows of the table of metrics.
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "train/evaluate/metrics/metric.h"

namespace attend {

/// Whether an evaluation decodes outputs of the model.
enum class Decode { no, yes };

/// Names and values in the order of printing.
struct Scores {
    std::vector<std::pair<std::string, double>> values;
    /// The value of that name, or none.
    std::optional<double> find(const std::string& name) const;
};

/// Whether a metric follows from the loss alone ("loss", "perplexity") and is therefore no row of
/// the table of metrics.
bool from_loss(const std::string& metric);

/// The row of metric_table(). Throws Error for an unknown name.
Metric make_metric(const std::string& name);

/// The row of metric_table(), or loss or perplexity as a metric of the examples' losses. Throws Error
/// for an unknown name.
Metric metric_of(const std::string& name);

/// Names of what an evaluation computes: "loss" and those of `metrics` that can be had without
/// decoding, or all. Throws Error for an unknown name.
std::vector<std::string> computed_metrics(const std::vector<std::string>& metrics, Decode decode);

/// Which of two values of that metric is the better one.
Better better_of(const std::string& metric);
/// 1: `now` is better than `best` by that metric; 0: equal; -1: worse. A value that is not a number
/// is never better.
int compare_scores(const Scores& now, const Scores& best, const std::string& metric);

}  // namespace attend
