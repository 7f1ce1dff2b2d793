#include "train/evaluate/scores.h"

#include <cmath>

namespace attend {

bool from_loss(const std::string& metric) { return metric == "loss" || metric == "perplexity"; }

Metric make_metric(const std::string& name) { return metric_table().build(Selection(metric_table(), name)); }

std::optional<double> Scores::find(const std::string& name) const {
    for (const auto& [key, value] : values)
        if (key == name)
            return value;
    return {};
}

std::vector<std::string> computed_metrics(const std::vector<std::string>& metrics, Decode decode) {
    std::vector<std::string> computed = {"loss", "perplexity"};
    for (const std::string& name : metrics)
        if (!from_loss(name) && (decode == Decode::yes || !make_metric(name).needs_decoding))
            computed.push_back(name);
    return computed;
}

Better better_of(const std::string& metric) { return from_loss(metric) ? Better::lower : make_metric(metric).better; }

int compare_scores(const Scores& now, const Scores& best, const std::string& metric) {
    const double a = now.find(metric).value_or(std::nan("")), b = best.find(metric).value_or(std::nan(""));
    if (std::isnan(a) || std::isnan(b))
        return std::isnan(a) ? -1 : 1;
    if (a == b)
        return 0;
    return (a < b) == (better_of(metric) == Better::lower) ? 1 : -1;
}

}  // namespace attend
