#include "train/study/compare/training_job.h"

#include <algorithm>

#include "train/study/compare/folder.h"

namespace attend::compare {

std::string run_name(const Comparison& c, const Planned& run) {
    return fmt::format("{} {}", c.variants[run.variant].name, seed_name(run.experiment.seed));
}

std::string claim_name(const Comparison& c, const Planned& run) {
    return fmt::format("{},{}", c.variants[run.variant].name, seed_name(run.experiment.seed));
}

Job training_job(const Comparison& c, const Prepared& prepared, std::size_t number, const Found& found, Extend extend) {
    const Planned& run = prepared.runs[number];
    const Experiment& resolved = prepared.resolved[run.variant];
    Job job{.name = run_name(c, run),
            .variant = c.variants[run.variant].name,
            .folder = run.folder,
            .arguments = {"train", (run.folder.parent_path() / variant_file).string(),
                          fmt::format("--seed={}", run.experiment.seed), "--set=name=" + run.experiment.name,
                          "--out=" + run.folder.string()},
            .steps = resolved.train.steps,
            .number = number};
    if (found.ending != Ending::missing) {
        job.first = std::min(step_reached(run.folder), job.steps);
        job.arguments.emplace_back("--resume");
    }
    if (found.shorter) {
        job.arguments.emplace_back("--extend");
        if (extend == Extend::with_schedule)
            job.arguments.push_back("--set=schedule.type=" + resolved.schedule.name());
    }
    return job;
}

}  // namespace attend::compare
