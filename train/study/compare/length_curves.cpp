#include "train/study/compare/length_curves.h"

#include <algorithm>

#include "train/config/words.h"
#include "train/evaluate/scores.h"

namespace attend::compare {

namespace {

struct EdgeOptions {
    std::vector<double> edges;
    void fields(Visitor& v) {
        static const std::string help = fmt::format(
            "the greatest length of each bin but the last, as [10, 20] for up to 10, 11-20, 21 and more; empty: {}", bins_rule);
        v.numbers("edges", edges, {0, 1e9}, false, help.c_str());
    }
};

std::optional<ByLength> by_length_of(Side side, const EdgeOptions& o) {
    return ByLength{side, o.edges.empty() ? std::vector<int64_t>{} : checked_edges(o.edges, "edges")};
}

using ByLengthTable = Table<std::optional<ByLength>()>;

// The runs of a variant that trained.
std::vector<const RunRecord*> trained_runs(const VariantRecord& variant, const std::vector<Outcome>& outcomes) {
    std::vector<const RunRecord*> runs;
    for (std::size_t r = 0; r < variant.runs.size(); ++r)
        if (outcomes[r] == Outcome::trained)
            runs.push_back(&variant.runs[r]);
    return runs;
}

std::optional<std::vector<int64_t>> lengths_of_run(const RunRecord& run, Side side) {
    return run.scores ? lengths_of(*run.scores, side) : std::nullopt;
}

// What each run came to in a bin, with a value for those that have examples there.
struct InBin {
    std::vector<Judgement> runs;
    int64_t examples = 0;  // of all runs
    double lengths = 0;    // their sum
};

void add_run(InBin& bin, const BinScores& scores, const std::string& fingerprint, const Metric& metric) {
    if (!scores.value)
        return;
    bin.runs.push_back(
        {Outcome::trained, scores.value, Examples{fingerprint, scores.numbers, influence_of(metric, scores.of)}});
    bin.examples += std::ssize(scores.of);
    bin.lengths += scores.length * static_cast<double>(scores.of.size());
}

bool all_same_examples(const std::vector<Judgement>& runs) {
    return std::ranges::all_of(
        runs, [&](const Judgement& run) { return run.examples->fingerprint == runs.front().examples->fingerprint; });
}

LengthMean mean_in_bin(std::size_t number, const InBin& bin, const Testing& testing) {
    LengthMean mean{.bin = number, .runs = std::ssize(bin.runs), .moments = {}, .limits = {}};
    std::vector<double> values;
    for (const Judgement& run : bin.runs) values.push_back(*run.value);
    mean.examples = all_same_examples(bin.runs) ? std::ssize(bin.runs.front().examples->numbers) : bin.examples;
    mean.length = bin.lengths / static_cast<double>(bin.examples);
    mean.moments = moments_of(values, testing.confidence);
    mean.limits = intervals_of(bin.runs, testing);
    if (mean.examples < 2)  // one example says nothing of others
        std::erase_if(mean.limits, [](const Interval& i) { return i.population == Population::seeds_and_examples; });
    return mean;
}

}  // namespace

const Table<std::optional<ByLength>()>& by_length_table() {
    static const ByLengthTable table(
        "by_length",
        {ByLengthTable::make<NoOptions>("none", "no curve by length",
                                        [](const NoOptions&) { return std::optional<ByLength>(); }),
         ByLengthTable::make<EdgeOptions>("source", "by the symbols of the source",
                                          [](const EdgeOptions& o) { return by_length_of(Side::source, o); }),
         ByLengthTable::make<EdgeOptions>(
             "target", "by the symbols of the target without its end; where there are no sources, by all that the model reads",
             [](const EdgeOptions& o) { return by_length_of(Side::target, o); })},
        "side");
    return table;
}
const registry::AtStart by_length_listed(by_length_table());

LengthCurves length_curves(const std::vector<VariantRecord>& variants, const std::vector<std::vector<Outcome>>& outcomes,
                           const std::string& metric, const ByLength& asked, const Testing& testing) {
    LengthCurves curves{asked.side, {}, {}, {}};
    std::vector<int64_t> lengths;
    int64_t all = 0, without = 0;
    for (std::size_t v = 0; v < variants.size(); ++v)
        for (const RunRecord* run : trained_runs(variants[v], outcomes[v])) {
            const auto of_run = lengths_of_run(*run, asked.side);
            ++all;
            without += of_run ? 0 : 1;
            if (of_run)
                lengths.insert(lengths.end(), of_run->begin(), of_run->end());
        }
    if (all == 0 || without > 0) {
        curves.missing = all == 0 ? "no run has trained"
                                  : fmt::format(
                                        "{} of {} that trained keep no lengths of their examples: older versions of "
                                        "attend wrote none; --overwrite trains again",
                                        without, counted(all, "run"));
        return curves;
    }
    curves.bins = asked.edges.empty() ? bins_for(std::move(lengths)) : bins_between(asked.edges);
    const Metric of_metric = metric_of(metric);
    for (std::size_t v = 0; v < variants.size(); ++v) {
        std::vector<InBin> bins(curves.bins.size());
        for (const RunRecord* run : trained_runs(variants[v], outcomes[v])) {
            const std::vector<BinScores> scores = by_length(*run->scores, metric, asked.side, curves.bins);
            for (std::size_t b = 0; b < bins.size(); ++b) add_run(bins[b], scores[b], run->scores->fingerprint, of_metric);
        }
        std::vector<LengthMean>& means = curves.variants.emplace_back();
        for (std::size_t b = 0; b < bins.size(); ++b)
            if (!bins[b].runs.empty())
                means.push_back(mean_in_bin(b, bins[b], testing));
    }
    return curves;
}

}  // namespace attend::compare
