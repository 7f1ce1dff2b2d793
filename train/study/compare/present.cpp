#include "train/study/compare/present.h"

#include <algorithm>
#include <thread>

#include "train/config/clock.h"
#include "train/config/words.h"
#include "train/config/writer.h"
#include "train/exchange/pretrained.h"
#include "train/experiment/assemble.h"
#include "train/study/compare/claims.h"
#include "train/study/compare/training_job.h"
#include "train/study/plan/plan.h"

namespace attend::compare {

namespace fs = std::filesystem;

namespace {

// A run in its folder, and the one that is asked for.
struct Looked {
    Found found;
    Experiment before, now;
    std::string name;     // "soft/seed-1"
    std::string history;  // how it was, or would be, extended; "" for all steps at once
};

// The experiment that is asked for, with what the run that is there chose when it began.
Experiment asked_for(const Planned& run, const Experiment& resolved, const Experiment& before) {
    Experiment now = keep_choices(run.experiment, resolved, before);
    now.name = run.experiment.name;
    now.seed = run.experiment.seed;
    if (run.experiment.train.epochs > 0 && now.train.steps != before.train.steps)  // another seed's may come to others
        now.train.steps = plan::build(run.experiment).experiment.train.steps;
    return now;
}

void refuse_another(const fs::path& config, const Experiment& before, Experiment now) {
    const bool shorter = now.train.steps > before.train.steps;
    now.extended = before.extended;
    static const std::vector<std::string> harmless = {"name", "train.steps", "train.keep", "train.tensorboard"};
    std::string list;
    for (const config::Difference& d : config::differences(before, now))
        if (!contains(harmless, d.path) && !(shorter && d.path.starts_with("schedule.")))
            list += fmt::format("\n  {}: before {}, now {}", d.path, d.before.empty() ? "nothing" : d.before,
                                d.after.empty() ? "nothing" : d.after);
    require(list.empty(),
            "{}: not the run that this comparison asks for:{}\nuse --overwrite to start again, or --out for another folder",
            config.string(), list);
    require(now.train.steps >= before.train.steps,
            "{}: the run was asked for more steps than this comparison does: train.steps before {}, now {}; use --overwrite to "
            "start again",
            config.string(), before.train.steps, now.train.steps);
}

void refuse_other_files(const RunFolder& folder, const Sealed& now) {
    const Progressed before = read_progressed(folder.last());
    require(before.data == now.data,
            "{}: not the data that this comparison has now: files [{}], the run was trained on [{}]; use --overwrite to start "
            "again",
            folder.config().string(), now.data, before.data);
    require(before.weights == now.weights || before.weights.empty(),  // an older program did not say
            "{}: not the weights that init.from names now: file [{}], the run began with [{}]; use --overwrite to start again",
            folder.config().string(), now.weights, before.weights);
}

// Each time as "12 to 16"; with `wanted` once more.
std::string history_of(const Experiment& before, int64_t wanted) {
    std::vector<std::string> all;
    for (std::size_t i = 0; i < before.extended.now.size(); ++i)
        all.push_back(fmt::format("{} to {}", before.extended.before[i], before.extended.now[i]));
    if (wanted > before.train.steps)
        all.push_back(fmt::format("{} to {}", before.train.steps, wanted));
    return joined(all);
}

Looked look_at(const Planned& run, const Experiment& resolved, const Sealed& files, const fs::path& root) {
    const RunFolder folder(run.folder);
    Looked l;
    l.name = run.folder.lexically_relative(root).string();
    if (!fs::exists(folder.config())) {
        require(folder.found().empty(), "{}: files of a run without its config.json: found {}; --overwrite starts again",
                run.folder.string(), folder.found());
        return l;
    }
    l.before = folder.experiment();
    l.now = asked_for(run, resolved, l.before);
    refuse_another(folder.config(), l.before, l.now);
    if (folder.has_checkpoint())
        refuse_other_files(folder, files);
    l.found.ending = read_run(run.folder, run.experiment.seed).ending;
    // Without a checkpoint it begins again, as long as is asked for.
    l.found.shorter = l.now.train.steps > l.before.train.steps && folder.has_checkpoint();
    l.history = history_of(l.before, folder.has_checkpoint() ? l.now.train.steps : l.before.train.steps);
    return l;
}

std::string names_of(const std::vector<const Looked*>& runs) {
    constexpr std::size_t most = 6;
    std::vector<std::string> names;
    for (std::size_t i = 0; i < std::min(most, runs.size()); ++i) names.push_back(runs[i]->name);
    return joined(names) + (runs.size() > most ? fmt::format(", ... ({} runs)", runs.size()) : "");
}

// All runs have all steps at once, or all were extended, and in the same way.
void refuse_mixture(const std::vector<Looked>& runs, const fs::path& root) {
    std::vector<const Looked*> extended, at_once;
    for (const Looked& l : runs) (l.history.empty() ? at_once : extended).push_back(&l);
    require(extended.empty() || at_once.empty(),
            "{}: a comparison has no runs that were extended beside such of all steps at once: extended, or to be, {}; at once "
            "{}; --overwrite trains all of them at once, --out takes another folder",
            root.string(), names_of(extended), names_of(at_once));
    for (const Looked* l : extended)
        require(l->history == extended.front()->history,
                "{}: the runs of a comparison are extended in one way: {} from {} steps, {} from {} steps; --overwrite trains "
                "all of them at once",
                root.string(), extended.front()->name, extended.front()->history, l->name, l->history);
}

// The runs in whose folders a process still trains, with its id: "soft/seed-1 (process 4711), ...";
// "" for none. Those of a comparison that was killed save before they end. Claims of processes that
// do not live are taken from them.
std::string busy(const Comparison& c, const Prepared& prepared, const fs::path& root, Watch& watch) {
    const Claims claims(root);
    std::vector<std::string> all;
    for (const Planned& run : prepared.runs) {
        const std::string name = claim_name(c, run), shown = run.folder.lexically_relative(root).string();
        const std::optional<Holder> holder = claims.holder(name);
        const bool lives = holder && !Watch::is_dead(watch.look(name, *holder));
        if (const std::string locked = lock_holder(run.folder); !locked.empty())
            all.push_back(fmt::format("{} (process {})", shown, locked));
        else if (lives)
            all.push_back(fmt::format("{} ({})", shown, holder->shown()));
        else if (holder)
            claims.take_over(name, *holder);  // and at once given back
    }
    if (const std::optional<Holder> holder = claims.holder(alone_claim)) {
        if (!Watch::is_dead(watch.look(alone_claim, *holder)))
            all.push_back(fmt::format("a comparison without --join ({})", holder->shown()));
        else
            claims.take_over(alone_claim, *holder);
    }
    return joined(all);
}

}  // namespace

std::vector<Found> look(const Comparison& c, const Prepared& prepared, const fs::path& root, Extend extend) {
    std::vector<Looked> runs;
    const std::vector<Sealed> files = sealed(prepared);
    for (const Planned& run : prepared.runs)
        runs.push_back(look_at(run, prepared.resolved[run.variant], files[run.variant], root));
    refuse_mixture(runs, root);
    std::vector<const Looked*> shorter;
    for (const Looked& l : runs)
        if (l.found.shorter)
            shorter.push_back(&l);
    require(shorter.empty() || extend != Extend::no,
            "{}: {} of {} runs have fewer steps than this comparison asks for, and continuing them needs --extend: {}, "
            "train.steps {}; --overwrite trains all of them again",
            root.string(), shorter.size(), runs.size(), names_of(shorter), shorter.empty() ? "" : shorter.front()->history);
    std::vector<Found> found;
    for (std::size_t i = 0; i < runs.size(); ++i) {
        const Looked& l = runs[i];
        found.push_back(l.found);
        if (!l.found.shorter || l.found.ending == Ending::diverged)
            continue;
        require(
            l.found.ending == Ending::finished,
            "{}: a run of a comparison is extended after it has finished: {}, train.steps before {}, now {}; the comparison "
            "with {} steps finishes it",
            prepared.runs[i].folder.string(), ending_name(l.found.ending), l.before.train.steps,
            prepared.resolved[prepared.runs[i].variant].train.steps, l.before.train.steps);
        try {
            resumed(RunFolder(prepared.runs[i].folder), prepared.runs[i].experiment, l.now, extend);
        } catch (const Error& e) {
            throw Error(fmt::format("{}: {}", c.path, e.what()));
        }
    }
    return found;
}

std::vector<Sealed> sealed(const Prepared& prepared) {
    std::vector<Sealed> files;
    for (const Experiment& e : prepared.resolved) files.push_back({data_seal(e), weights_seal(e.init)});
    return files;
}

Found look_at_one(const Prepared& prepared, std::size_t run, const Sealed& files, const fs::path& root) {
    const Planned& planned = prepared.runs[run];
    const Looked l = look_at(planned, prepared.resolved[planned.variant], files, root);
    require(!l.found.shorter,
            "{}: the run has fewer steps than this comparison asks for: train.steps before {}, now {}; one process alone "
            "extends runs: leave out --join and give --extend",
            planned.folder.string(), l.before.train.steps, l.now.train.steps);
    return l.found;
}

bool wait_until_free(const Comparison& c, const Prepared& prepared, const fs::path& root, std::chrono::milliseconds patience,
                     Observer& log, const std::function<int()>& stop) {
    Watch watch(default_silence);
    std::string holders = busy(c, prepared, root, watch);
    if (holders.empty())
        return true;
    log.open_log(RunFolder(root).log(), LogFile::append);
    log.info("waiting for processes that still train in this folder, of a comparison that was stopped or of others: {}",
             holders);
    for (const Clock::time_point begin = Clock::now(); !holders.empty(); holders = busy(c, prepared, root, watch)) {
        if (stop && stop() != 0)
            return false;
        require(Clock::now() - begin < patience,
                "{}: other processes train in this folder: {}; waited {:.0f} s; wait for their end or give another --out",
                root.string(), holders, std::chrono::duration<double>(patience).count());
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    return true;
}

}  // namespace attend::compare
