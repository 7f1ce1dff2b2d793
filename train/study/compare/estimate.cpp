#include "train/study/compare/estimate.h"

#include <algorithm>

#include "train/config/words.h"
#include "train/evaluate/text_table.h"
#include "train/records/numbers.h"
#include "train/study/compare/prepare.h"
#include "train/study/plan/plan.h"

namespace attend::compare {

Estimate estimate(const Comparison& c, int threads) {
    const Prepared prepared = prepare(c, "");
    Estimate f;
    f.name = c.name;
    f.metric = prepared.settings.metric;
    f.split = split_name(prepared.settings.split);
    f.seeds = c.seeds;
    f.confidence = prepared.settings.confidence;
    const int runs = static_cast<int>(prepared.runs.size());
    f.parallel = std::max(1, std::min(threads, runs));
    f.threads_each = std::max(1, threads / f.parallel);
    double memory = 0;
    for (const Variant& v : c.variants) {
        Experiment asked = v.experiment;
        asked.seed = c.seeds.front();
        const plan::Plan one = plan::make_plan(asked, f.threads_each);
        f.variants.push_back({v.name, one.parameters, one.experiment.train.steps, one.estimate.seconds});
        memory = std::max(memory, one.estimate.peak_memory_mib);
    }
    f.peak_memory_mib = memory * f.parallel;
    // Each run goes to the process that is free first, as run_jobs() does it.
    std::vector<double> busy(static_cast<std::size_t>(f.parallel), 0);
    for (const Planned& run : prepared.runs) *std::min_element(busy.begin(), busy.end()) += f.variants[run.variant].seconds;
    f.seconds = *std::max_element(busy.begin(), busy.end());
    return f;
}

std::string text_of(const Estimate& f) {
    std::string text = fmt::format("comparison {}: {} x {}: {} runs, compared by {} of the {} split\n\n", f.name,
                                   counted(std::ssize(f.variants), "variant"), counted(std::ssize(f.seeds), "seed"),
                                   f.variants.size() * f.seeds.size(), f.metric, f.split);
    std::vector<std::vector<std::string>> rows = {{"variant", "parameters", "steps", "a run"}};
    for (const EstimatedVariant& v : f.variants)
        rows.push_back({v.name, std::to_string(v.parameters), std::to_string(v.steps), duration_text(v.seconds)});
    text += text_table(rows, {{}, {Align::right, 12}, {Align::right, 8}, {Align::right, 10}});
    if (f.variants.size() > 1)
        text += "\n" + seeds_text(std::ssize(f.variants) - 1, std::ssize(f.seeds), 1 - f.confidence) + "\n";
    text += fmt::format("\n{} runs side by side on {} each: about {} in all, {:.0f} MiB at most\n", f.parallel,
                        counted(f.threads_each, "thread"), duration_text(f.seconds), f.peak_memory_mib);
    return text + "each variant was measured alone for some steps; 'attend plan' of its base says more\n";
}

RecordWriter json_of(const Estimate& f) {
    const auto variant = [](const EstimatedVariant& v) -> RecordWriter {
        return {{"name", v.name}, {"parameters", v.parameters}, {"steps", v.steps}, {"seconds", v.seconds}};
    };
    return {{"name", f.name},
            {"metric", f.metric},
            {"split", f.split},
            {"seeds", f.seeds},
            {"parallel", int64_t{f.parallel}},
            {"threads_each", int64_t{f.threads_each}},
            {"seconds", f.seconds},
            {"peak_memory_mib", f.peak_memory_mib},
            {"variants", records_of(f.variants, variant)}};
}

}  // namespace attend::compare
