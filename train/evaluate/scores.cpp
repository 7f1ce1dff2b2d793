#include "train/evaluate/scores.h"

#include <cmath>

#include "train/experiment/loss.h"

namespace attend {

bool from_loss(const std::string& metric) { return metric == "loss" || metric == "perplexity"; }

Metric make_metric(const std::string& name) { return metric_table().build(Selection(metric_table(), name)); }

Metric metric_of(const std::string& name) {
    if (!from_loss(name))
        return make_metric(name);
    return {.statistics = [](const EvaluatedExample& e) -> Statistics {
                return {e.loss, e.label ? e.label->loss : 0, static_cast<double>(e.targets.size()), e.label ? 1.0 : 0.0};
            },
            .score = [name](std::span<const double> sums) -> std::optional<double> {
                const LossSums nats{sums[0], sums[1]};
                const LossCounts counts{std::llround(sums[2]), std::llround(sums[3])};
                if (counts.all() == 0)
                    return std::nullopt;
                return name == "loss" ? nats.mean(counts) : nats.perplexity(counts);
            },
            .better = Better::lower,
            .least = name == "loss" ? 0.0 : 1.0};
}

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

Better better_of(const std::string& metric) { return metric_of(metric).better; }

int compare_scores(const Scores& now, const Scores& best, const std::string& metric) {
    const double a = now.find(metric).value_or(std::nan("")), b = best.find(metric).value_or(std::nan(""));
    if (std::isnan(a) || std::isnan(b))
        return std::isnan(a) ? -1 : 1;
    if (a == b)
        return 0;
    return (a < b) == (better_of(metric) == Better::lower) ? 1 : -1;
}

}  // namespace attend
