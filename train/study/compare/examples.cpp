#include "train/study/compare/examples.h"

#include <algorithm>
#include <cmath>

#include "train/records/example_scores.h"
#include "train/records/run_folder.h"
#include "train/study/compare/limits.h"

namespace attend::compare {

namespace {

// Of at least one example.
Statistics sums_of(const std::vector<Statistics>& of) {
    Statistics sums(of.front().size());
    for (const Statistics& s : of)
        for (std::size_t i = 0; i < sums.size(); ++i) sums[i] += s[i];
    return sums;
}

std::optional<double> value_of_all(const Metric& metric, const std::vector<Statistics>& of) {
    return of.empty() ? std::nullopt : metric.score(sums_of(of));
}

bool is_zero_or_one(const Statistics& s) { return s.size() == 2 && s[1] == 1 && (s[0] == 0 || s[0] == 1); }

}  // namespace

std::vector<double> influence_of(const Metric& metric, const std::vector<Statistics>& of) {
    std::vector<double> influence(of.size());
    if (of.empty())
        return influence;
    const Statistics sums = sums_of(of);
    const std::optional<double> value = metric.score(sums);
    for (std::size_t e = 0; e < of.size() && value; ++e) {
        Statistics others = sums;
        for (std::size_t i = 0; i < others.size(); ++i) others[i] -= of[e][i];
        if (const std::optional<double> without = metric.score(others))
            influence[e] = (static_cast<double>(of.size()) - 1) * (*value - *without);
    }
    return influence;
}

std::optional<Limits> limits_of_share(const Metric& metric, const std::vector<Statistics>& of, double confidence) {
    if (of.empty() || metric.least != 0 || metric.most != 1)
        return std::nullopt;
    const std::optional<double> value = value_of_all(metric, of);
    if (!value)
        return std::nullopt;
    if (std::ranges::all_of(of, is_zero_or_one))
        return exact_rate(std::llround(*value * static_cast<double>(of.size())), std::ssize(of), confidence);
    const Sampled run{.values = {*value}, .influence = {influence_of(metric, of)}, .same_examples = true};
    return limits_of(*estimated(run, Population::seeds_and_examples), {metric.least, metric.most}, confidence);
}

std::optional<Limits> limits_for_new_examples(const Metric& metric, const std::vector<Statistics>& of,
                                              const BootstrapSetup& setup) {
    if (setup.resamples == 0)
        return std::nullopt;
    if (const auto limits = limits_of_share(metric, of, setup.level))
        return limits;
    ExampleStatistics examples;
    for (const Statistics& s : of) examples.add(s);
    const auto interval = bootstrap(metric, examples, setup);
    return interval ? std::optional(Limits{interval->low, interval->high}) : std::nullopt;
}

Examples examples_of(const ExampleScores& scores) {
    Examples out;
    out.fingerprint = scores.fingerprint;
    std::vector<Statistics> of;
    for (const ExampleScores::Example& e : scores.examples) {
        out.numbers.push_back(e.number);
        of.push_back(e.of.front());
    }
    out.influence = influence_of(metric_of(scores.metrics.front()), of);
    return out;
}

std::optional<ExampleScores> read_metric_scores(const std::filesystem::path& folder, Split split, int64_t step,
                                                const std::string& metric, double value) {
    const std::filesystem::path path = RunFolder(folder).scores(split);
    if (step_of_scores(path) != step)
        return {};
    KeptScores kept = read_scores(path);
    const auto at = std::ranges::find(kept.scores.metrics, metric);
    if (at == kept.scores.metrics.end())
        return {};
    const auto m = static_cast<std::size_t>(at - kept.scores.metrics.begin());
    ExampleScores out{{metric}, kept.scores.fingerprint, {}};
    std::vector<Statistics> of;
    for (ExampleScores::Example& e : kept.scores.examples)
        if (!e.of[m].empty()) {
            of.push_back(e.of[m]);
            out.examples.push_back({e.number, {std::move(e.of[m])}, e.lengths});
        }
    const double together = value_of_all(metric_of(metric), of).value_or(std::nan(""));
    constexpr double rounding = 1e-6;
    require(kept.split == split && std::abs(together - value) <= rounding * std::max(1.0, std::abs(value)),
            "{}: the scores of examples do not belong to this run: {} of all {} examples {}, in metrics.jsonl {}; --overwrite "
            "trains "
            "again",
            path.string(), metric, of.size(), together, value);
    return out;
}

std::optional<Examples> read_examples(const std::filesystem::path& folder, Split split, int64_t step, const std::string& metric,
                                      double value) {
    const std::optional<ExampleScores> scores = read_metric_scores(folder, split, step, metric, value);
    return scores ? std::optional(examples_of(*scores)) : std::nullopt;
}

}  // namespace attend::compare
