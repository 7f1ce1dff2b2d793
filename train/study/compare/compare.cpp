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
    const int64_t look = number_of(look_with(s, c.seeds), s.looks);
    if (comparisons > 0 && seeds_needed(comparisons, level_of_look(look, 1 - s.confidence)) > seeds)
        log.warning("{}", seeds_text(comparisons, seeds, 1 - s.confidence, look));
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

// A comparison that has been looked at and can begin.
struct Ready {
    Prepared prepared;
    RunLock lock;              // of the folder
    std::vector<Found> found;  // of each run
};

// Checks, builds and looks; of the folder it changes nothing but its lock. None where it is told to stop.
std::optional<Ready> made_ready(const CompareRequest& request) {
    const Comparison& c = request.comparison;
    const fs::path root = request.folder;
    const auto told_to_stop = [&] { return request.stop && request.stop() != 0; };
    const auto interrupted = [&](auto work) { return interruptibly(told_to_stop, work) == Ended::interrupted; };
    check_folder(root, c);
    for (const Planned& run : planned_runs(c, root)) check_run_folder(run.folder);
    Ready ready;
    if (interrupted([&] { ready.prepared = prepare(c, request.folder); }))  // made of data, which may take long
        return std::nullopt;
    // A folder that is not there yet is made after all has been looked at.
    const bool was_there = fs::exists(root);
    if (was_there)
        ready.lock = RunFolder(root).lock();
    if (!wait_until_free(c, ready.prepared, root, request.patience, *request.observer, request.stop))
        return std::nullopt;
    ready.found.resize(ready.prepared.runs.size());
    if (request.existing != Existing::overwrite &&
        interrupted([&] { ready.found = look(c, ready.prepared, root, request.extend); }))
        return std::nullopt;
    if (told_to_stop())
        return std::nullopt;
    if (!was_there)
        ready.lock = RunFolder(root).lock();
    return ready;
}

// Of the runs that have still to be made, with their folders; of all where they are to begin again.
std::vector<Job> jobs_for(const CompareRequest& request, const Ready& ready) {
    std::vector<Job> jobs;
    for (std::size_t i = 0; i < ready.found.size(); ++i) {
        const fs::path& folder = ready.prepared.runs[i].folder;
        if (request.existing == Existing::overwrite) {
            const RunLock held = RunFolder(folder).lock();
            RunFolder(folder).prepare_new();
        }
        const Found& found = ready.found[i];
        if (is_over(found.ending) && !(found.ending == Ending::finished && found.shorter))
            continue;
        make_folder(folder);
        jobs.push_back(training_job(request.comparison, ready.prepared, i, found, request.extend));
    }
    return jobs;
}

void announce(const CompareRequest& request, const Prepared& p, std::size_t jobs, int parallel) {
    const Comparison& c = request.comparison;
    Observer& log = *request.observer;
    log.info("{}: {} x {}, {} on the {} split; {} of {} runs to do, {} side by side; {}", c.name,
             counted(std::ssize(c.variants), "variant"), counted(std::ssize(c.seeds), "seed"), p.settings.metric,
             split_name(p.settings.split), jobs, p.runs.size(), parallel, request.folder);
    warn_of_other_batches(log, c, p);
    warn_of_few_seeds(log, c, p.settings);
}

}  // namespace

Compared run_comparison(const CompareRequest& request) {
    const Comparison& c = request.comparison;
    const fs::path root = request.folder;
    Observer& log = *request.observer;
    Compared result;
    std::optional<Ready> ready = made_ready(request);
    if (!ready) {
        result.stopped = true;
        return result;
    }
    Prepared& prepared = ready->prepared;
    Alone alone(root, c, prepared);
    write_folder(root, c, &prepared);
    log.open_log(RunFolder(root).log(), request.existing == Existing::overwrite ? LogFile::begin : LogFile::append);
    const std::vector<Job> jobs = jobs_for(request, *ready);
    const int parallel = std::max(1, std::min(request.threads, static_cast<int>(jobs.size())));
    announce(request, prepared, jobs.size(), parallel);
    const std::vector<std::optional<JobEnd>> ends = run_jobs(jobs, {.parallel = parallel,
                                                                    .threads = request.threads,
                                                                    .start = request.start,
                                                                    .stop = request.stop,
                                                                    .observer = &log,
                                                                    .tick = [&] { alone.renew(default_renew); }});
    bool stopped = false;
    std::map<std::size_t, std::string> failures;
    for (std::size_t k = 0; k < jobs.size(); ++k) {
        if (!ends[k] || was_stopped(*ends[k]))
            stopped = true;
        else if (has_failed(*ends[k]))
            failures.emplace(jobs[k].number, ends[k]->message);
    }
    for (const Planned& run : prepared.runs) Claims(root).remove_mark(claim_name(c, run));
    prepared.settings.looks = looks_in(root / table_file);  // one that ended before the folder was locked may have looked
    result = conclude(c, prepared, failures, log);
    result.begun = std::ssize(jobs);
    result.stopped = stopped;
    if (stopped)
        return result;
    ready->lock.check_folder();
    alone.renew();
    if (request.compared)
        request.compared(result);
    write_file_atomically(root / table_file, json_file(result));
    log.info("{}", (root / page_file).string());
    return result;
}

}  // namespace attend::compare
