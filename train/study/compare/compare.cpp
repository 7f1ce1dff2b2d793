#include "train/study/compare/compare.h"

#include <algorithm>
#include <map>

#include "core/base/files.h"
#include "core/base/interruption.h"
#include "core/base/own_files.h"
#include "train/config/words.h"
#include "train/study/compare/claims.h"
#include "train/study/compare/conclusion.h"
#include "train/study/compare/folder.h"
#include "train/study/compare/training_job.h"

namespace attend::compare {

namespace fs = std::filesystem;

namespace {

// Variants that are not trained on the same batches as the reference.
void warn_of_other_batches(Observer& log, const Comparison& c, const Prepared& p) {
    for (std::size_t i = 0; i < c.variants.size(); ++i)
        if (!p.other_batches[i].empty() && !c.variants[i].null_variant)
            log.warning("{}: not trained on the batches of '{}', as it changes {}", c.variants[i].name,
                        c.variants[p.settings.reference].name, p.other_batches[i]);
}

// What these seeds cannot show, before they are run.
void warn_of_few_seeds(Observer& log, const Comparison& c, const Settings& s) {
    const auto comparisons = std::ssize(c.variants) - 1, seeds = std::ssize(c.seeds);
    if (comparisons > 0 && std::max(least_flips, pairs_for_flip(comparisons, 1 - s.confidence)) > seeds)
        log.warning("{}", seeds_text(comparisons, seeds, 1 - s.confidence));
}

// Keeps processes that join out, on other machines, too, where a lock may not be seen.
class Alone {
  public:
    // Where all runs are free.
    Alone(const fs::path& root, const Comparison& c, const Prepared& p)
        : root_(root), claim_(claims_of(root).take(alone_claim)) {
        require(claim_.has_value(), "{}: another comparison has begun in this folder at this moment; wait for its end",
                root.string());
        for (const Planned& run : p.runs)  // who joins takes a run first and looks for this claim then
            if (const std::optional<Holder> holder = claims_of(root).holder(claim_name(c, run)))
                fail("{}: another process has joined at this moment: {} ({}); wait for its end", root.string(),
                     claim_name(c, run), holder->shown());
    }
    ~Alone() {
        claim_.reset();
        claims_of(root_).tidy();
    }
    Alone(const Alone&) = delete;
    Alone& operator=(const Alone&) = delete;

    // Throws MachineError where another process has taken the folder over.
    void renew(Clock::duration often = {}) {
        if (Clock::now() - renewed_ < often)
            return;
        renewed_ = Clock::now();
        ensure(
            claim_->renew(),
            "{}: another process has taken the comparison over, as this one gave no sign of life; the runs are stopped here, "
            "and the same command continues",
            root_.string());
    }

  private:
    static Claims claims_of(const fs::path& root) { return Claims(root); }
    fs::path root_;
    std::optional<Claim> claim_;
    Clock::time_point renewed_ = Clock::now();
};

}  // namespace

Compared run_comparison(const CompareRequest& request) {
    const Comparison& c = request.comparison;
    const fs::path root = request.folder;
    const RunFolder as_run(root);
    check_folder(root, c);
    for (const Planned& run : planned_runs(c, root)) check_run_folder(run.folder);
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
    if (!wait_until_free(c, prepared, root, request.patience, log, request.stop))
        return result;
    std::vector<Found> found(prepared.runs.size());
    if (!anew && interruptibly(told_to_stop, [&] { found = look(c, prepared, root, request.extend); }) == Ended::interrupted)
        return result;
    result.stopped = told_to_stop();
    if (result.stopped)
        return result;
    if (!lock)
        lock = as_run.lock();
    Alone alone(root, c, prepared);
    write_folder(root, c, &prepared);
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
        jobs.push_back(training_job(c, prepared, i, found[i], request.extend));
    }
    log.info("{}: {} x {}, {} on the {} split; {} of {} runs to do, {} side by side; {}", c.name,
             counted(std::ssize(c.variants), "variant"), counted(std::ssize(c.seeds), "seed"), prepared.settings.metric,
             split_name(prepared.settings.split), jobs.size(), prepared.runs.size(), parallel, root.string());
    warn_of_other_batches(log, c, prepared);
    warn_of_few_seeds(log, c, prepared.settings);
    const std::vector<std::optional<JobEnd>> ends = run_jobs(jobs, {.parallel = parallel,
                                                                    .threads = request.threads,
                                                                    .start = request.start,
                                                                    .stop = request.stop,
                                                                    .observer = &log,
                                                                    .tick = [&] { alone.renew(default_renew); }});

    const Claims claims(root);
    std::map<std::size_t, std::string> failures;
    for (std::size_t k = 0; k < to_run.size(); ++k) {
        if (!ends[k] || was_stopped(*ends[k]))
            result.stopped = true;
        else if (has_failed(*ends[k]))
            failures.emplace(to_run[k], ends[k]->message);
    }
    for (const Planned& run : prepared.runs) claims.remove_mark(claim_name(c, run));
    const bool stopped = result.stopped;
    prepared.settings.looks = looks_in(root / table_file);  // one that ended before the folder was locked may have looked
    result = conclude(c, prepared, failures, log);
    result.begun = static_cast<int64_t>(jobs.size());
    result.stopped = stopped;
    if (stopped)
        return result;
    lock->check_folder();
    alone.renew();
    if (request.compared)
        request.compared(result);
    write_file_atomically(root / table_file, json_file(result));
    log.info("{}", (root / page_file).string());
    return result;
}

}  // namespace attend::compare
