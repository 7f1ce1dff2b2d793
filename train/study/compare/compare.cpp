#include "train/study/compare/compare.h"

#include <algorithm>

#include "core/base/files.h"
#include "core/base/interruption.h"
#include "core/base/own_files.h"
#include "train/config/words.h"
#include "train/config/writer.h"
#include "train/study/compare/folder.h"
#include "train/study/compare/present.h"

namespace attend::compare {

namespace fs = std::filesystem;

namespace {

Job job_of(const Comparison& c, const Planned& run, const Experiment& resolved, const Found& found, Extend extend,
           int threads) {
    const std::string& variant = c.variants[run.variant].name;
    Job job{.name = fmt::format("{} {}", variant, seed_name(run.experiment.seed)),
            .variant = variant,
            .folder = run.folder,
            .arguments = {"train", (run.folder.parent_path() / variant_file).string(),
                          fmt::format("--seed={}", run.experiment.seed), "--set=name=" + run.experiment.name,
                          "--out=" + run.folder.string(), fmt::format("--threads={}", threads)},
            .steps = resolved.train.steps};
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

// Variants that are not trained on the same batches as the reference.
void warn_of_other_batches(Observer& log, const Comparison& c, const Prepared& p) {
    for (std::size_t i = 0; i < c.variants.size(); ++i)
        if (!p.other_batches[i].empty())
            log.warning("{}: not trained on the batches of '{}', as it changes {}", c.variants[i].name,
                        c.variants[p.settings.reference].name, p.other_batches[i]);
}

// What these seeds cannot show, before they are run.
void warn_of_few_seeds(Observer& log, const Comparison& c, const Settings& s) {
    const auto comparisons = std::ssize(c.variants) - 1, seeds = std::ssize(c.seeds);
    if (comparisons > 0 && std::max(least_flips, pairs_for_flip(comparisons, 1 - s.confidence)) > seeds)
        log.warning("{}", seeds_text(comparisons, seeds, 1 - s.confidence));
}

// Bits of training may differ between programs.
void warn_of_other_programs(Observer& log, const std::vector<VariantRecord>& records) {
    std::vector<std::string> programs;
    for (const VariantRecord& v : records)
        for (const RunRecord& run : v.runs)
            if (!run.program.empty() && !contains(programs, run.program))
                programs.push_back(run.program);
    if (programs.size() > 1)
        log.warning("the runs were made by {} programs, whose bits can differ: attend {}", programs.size(), joined(programs));
}

}  // namespace

Compared run_comparison(const CompareRequest& request) {
    const Comparison& c = request.comparison;
    const fs::path root = request.folder;
    const RunFolder as_run(root);
    check_folder(root, c);
    Compared result;
    result.stopped = true;  // so it is until all runs have come to their end
    const auto told_to_stop = [&] { return request.stop && request.stop() != 0; };
    Prepared prepared;  // made of data, which may take long
    if (interruptibly(told_to_stop, [&] { prepared = prepare(c, request.folder); }) == Ended::interrupted)
        return result;
    const bool anew = request.existing == Existing::overwrite;
    Observer& log = *request.observer;
    // A folder that is not there yet is made after all has been looked at.
    std::optional<RunLock> lock;
    if (fs::exists(root))
        lock = as_run.lock();
    if (!wait_until_free(prepared, root, request.patience, log, request.stop))
        return result;
    std::vector<Found> found(prepared.runs.size());
    if (!anew && interruptibly(told_to_stop, [&] { found = look(c, prepared, root, request.extend); }) == Ended::interrupted)
        return result;
    result.stopped = told_to_stop();
    if (result.stopped)
        return result;
    if (!lock)
        lock = as_run.lock();
    for (std::size_t v = 0; v < c.variants.size(); ++v) {  // the mark of a comparison's folder, so before all other files
        make_folder(root / c.variants[v].name);
        write_file_atomically(root / c.variants[v].name / variant_file, config::write(c.variants[v].experiment));
    }
    log.open_log(as_run.log(), anew ? LogFile::begin : LogFile::append);
    std::vector<std::size_t> to_run;
    for (std::size_t i = 0; i < prepared.runs.size(); ++i) {
        if (anew) {
            const RunFolder run(prepared.runs[i].folder);
            const RunLock held = run.lock();
            run.prepare_new();
        }
        const Ending ending = found[i].ending;
        if (ending == Ending::missing || ending == Ending::unfinished || (ending == Ending::finished && found[i].shorter))
            to_run.push_back(i);
    }
    const int parallel = std::max(1, std::min(request.threads, static_cast<int>(to_run.size())));
    std::vector<Job> jobs;
    for (const std::size_t i : to_run) {
        const Planned& run = prepared.runs[i];
        make_folder(run.folder);
        jobs.push_back(
            job_of(c, run, prepared.resolved[run.variant], found[i], request.extend, std::max(1, request.threads / parallel)));
    }
    log.info("{}: {} x {}, {} on the {} split; {} of {} runs to do, {} side by side; {}", c.name,
             counted(std::ssize(c.variants), "variant"), counted(std::ssize(c.seeds), "seed"), prepared.settings.metric,
             split_name(prepared.settings.split), jobs.size(), prepared.runs.size(), parallel, root.string());
    warn_of_other_batches(log, c, prepared);
    warn_of_few_seeds(log, c, prepared.settings);
    const std::vector<std::optional<JobEnd>> ends =
        run_jobs(jobs, {.parallel = parallel, .start = request.start, .stop = request.stop, .observer = &log});

    result.begun = static_cast<int64_t>(jobs.size());
    std::vector<VariantRecord> records;
    for (const Variant& v : c.variants) records.push_back({v.name, {}});
    const Settings& settings = prepared.settings;
    for (const Planned& run : prepared.runs) {
        RunRecord record = read_run(run.folder, run.experiment.seed);
        // Examples are kept of the last value alone.
        if (settings.judged == Judged::last || settings.split == Split::test)
            record = with_examples(std::move(record), run.folder, settings.split, settings.metric);
        records[run.variant].runs.push_back(std::move(record));
    }
    for (std::size_t k = 0; k < to_run.size(); ++k) {
        const Planned& run = prepared.runs[to_run[k]];
        RunRecord& record = records[run.variant].runs[run.seed];
        if (!ends[k] || ends[k]->code == 130 || ends[k]->code == 143)
            result.stopped = true;
        else if (ends[k]->code != 0 && ends[k]->code != 3) {
            record.ending = Ending::failed;
            record.message = ends[k]->message;
        }
    }
    warn_of_other_programs(log, records);
    prepared.settings.looks = looks_in(root / "compare.json");
    result.table = tabulate(records, prepared.settings);
    if (result.stopped)
        return result;
    result.json = json_of(c, prepared, records, result.table);
    lock->check_folder();
    write_file_atomically(root / "compare.json", result.json.text(1, Broken::replaced) + "\n");
    result.records = std::move(records);
    if (request.compared)
        request.compared(result);
    log.info("{}", (root / "compare.html").string());
    return result;
}

}  // namespace attend::compare
