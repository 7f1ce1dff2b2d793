#include "train/study/compare/join.h"

#include <algorithm>
#include <map>
#include <thread>

#include "core/base/file_errors.h"
#include "core/base/files.h"
#include "core/base/interruption.h"
#include "core/base/own_files.h"
#include "train/config/words.h"
#include "train/records/record_reader.h"
#include "train/study/compare/conclusion.h"
#include "train/study/compare/folder.h"
#include "train/study/compare/training_job.h"

namespace attend::compare {

namespace fs = std::filesystem;

namespace {

// Runs that other processes want, too.
class SharedRuns final : public JobSource {
  public:
    SharedRuns(const CompareRequest& request, const Joining& joining, const Comparison& c, const Prepared& prepared)
        : request_(request),
          joining_(joining),
          comparison_(c),
          prepared_(prepared),
          log_(*request.observer),
          claims_(request.folder),
          watch_(joining.silence),
          files_(sealed(prepared)) {
        for (const Planned& run : prepared.runs) {
            const std::optional<Claims::Failure> failure = claims_.failure(claim_name(c, run));
            runs_.push_back({.name = claim_name(c, run), .earlier_failure = failure ? failure->id : ""});
        }
    }

    // Looks at the runs that are there and nobody has, so that one of another comparison is refused
    // before any is trained.
    void look_at_all() {
        for (std::size_t i = 0; i < runs_.size(); ++i)
            if (fs::exists(prepared_.runs[i].folder) && !claims_.holder(runs_[i].name) && claim(i)) {
                if (!is_locked(i))
                    look_at(i);
                let_go(i);
            }
    }

    std::optional<Job> next() override {
        for (std::size_t i = 0; i < runs_.size(); ++i)  // those whose old process had still to save
            if (runs_[i].claim && !runs_[i].running && !is_locked(i))
                if (std::optional<Job> job = job_for(i))
                    return job;
        if (!found_ && seconds_since(looked_) < 1)  // the others will not be that fast
            return std::nullopt;
        looked_ = Clock::now();
        for (std::size_t i = 0; i < runs_.size(); ++i) {
            if (runs_[i].over || runs_[i].elsewhere || runs_[i].claim || settle(i) || !claim(i) || is_locked(i))
                continue;
            if (std::optional<Job> job = job_for(i)) {
                found_ = true;
                return job;
            }
        }
        found_ = false;
        return std::nullopt;
    }

    bool exhausted() override {
        return std::ranges::all_of(runs_, [](const Run& r) { return r.over || r.elsewhere; });
    }

    int64_t left() override {
        int64_t count = 0;
        for (std::size_t i = 0; i < runs_.size() && count <= request_.threads; ++i)
            if (!runs_[i].over && !runs_[i].elsewhere && !runs_[i].running &&
                (runs_[i].claim || (!claims_.holder(runs_[i].name) && !settle(i))))
                ++count;
        return count;
    }
    int64_t all() const override { return std::ssize(runs_); }
    int64_t done() const override { return std::ranges::count_if(runs_, &Run::over); }

    void tick() override {
        if (Clock::now() - renewed_ < joining_.renew)
            return;
        renewed_ = Clock::now();
        for (Run& run : runs_)
            if (run.claim && !run.lost && !run.claim->renew()) {
                run.lost = true;
                log_.warning(
                    "{}: another process has taken the run over, as this one gave no sign of life; its training is "
                    "stopped here",
                    run.name);
            }
        say_who_is_waited_for();
    }

    bool keeps(const Job& job) override { return !runs_[job.number].lost; }

    void ended(const Job& job, const JobEnd& end) override {
        Run& run = runs_[job.number];
        run.running = false;
        const bool lost = run.lost || !run.claim->renew();
        if (lost) {
            run.lost = false;
            run.claim.reset();
            return;
        }
        if (was_stopped(end)) {  // by somebody who does not want it to go on here
            stopped_ = true;
            run.elsewhere = true;
        } else if (has_failed(end)) {
            fail(run, end.message.empty() ? fmt::format("exit code {}", end.code) : end.message);
        } else {
            claims_.remove_mark(run.name);
            run.over = true;
        }
        let_go(job.number);
    }

    bool stopped() const { return stopped_; }
    int64_t begun() const { return begun_; }
    // Who trained the run at the last look; "" for nobody.
    const std::string& holder(std::size_t i) const { return runs_[i].holder; }
    // Why the run failed here; "" where it did not. Known where the mark of it could not be written.
    std::string failure(const std::string& name) const {
        const auto run = std::ranges::find(runs_, name, &Run::name);
        return run == runs_.end() ? "" : run->failure;
    }

  private:
    struct Run {
        std::string name;
        std::string earlier_failure;  // that was there when this process began
        std::optional<Claim> claim = std::nullopt;
        bool running = false;
        bool lost = false;       // the claim, while it ran
        bool over = false;       // nothing more is to be done
        bool elsewhere = false;  // nothing more is to be done by this process
        std::string holder = {};
        std::string failure = {};  // of its training here
    };

    // What made the run fail can keep the mark from being written, too (a full disk). The other runs go on.
    void fail(Run& run, const std::string& message) {
        run.over = true;
        run.failure = message;
        try {
            claims_.mark_failed(run.name, message);
        } catch (const std::exception& e) {
            log_.warning("{}: the others are not told that the run failed, and may try it again: {}", run.name, e.what());
        }
    }

    bool is_locked(std::size_t i) const { return !lock_holder(prepared_.runs[i].folder).empty(); }
    void let_go(std::size_t i) { runs_[i].claim.reset(); }

    // Whether the run is over by what others wrote.
    bool settle(std::size_t i) {
        Run& run = runs_[i];
        const Ending ending = ending_in_summary(prepared_.runs[i].folder);
        const std::optional<Claims::Failure> failure = is_over(ending) ? std::nullopt : claims_.failure(run.name);
        run.over = is_over(ending) || (failure && failure->id != run.earlier_failure && !claims_.holder(run.name));
        return run.over;
    }

    // Whether this process has the run now.
    bool claim(std::size_t i) {
        Run& run = runs_[i];
        const std::optional<Holder> holder = claims_.holder(run.name);
        run.holder = holder ? holder->shown() : "";
        if (!holder) {
            run.claim = claims_.take(run.name);
            return run.claim.has_value();
        }
        const Watch::Life life = watch_.look(run.name, *holder);
        // One that must not wait gives up as soon as it knows that the other lives.
        run.elsewhere = joining_.task && life == Watch::Life::alive;
        // A run whose owner has died saves before it ends.
        if (!Watch::is_dead(life) || (life == Watch::Life::ended && is_locked(i)))
            return false;
        run.claim = claims_.take_over(run.name, *holder);
        if (run.claim)
            log_.info("{}: taken over from {}, which {}", run.name, run.holder,
                      life == Watch::Life::ended ? "has ended" : "gave no sign of life");
        return run.claim.has_value();
    }

    Found look_at(std::size_t i) {
        check_run_folder(prepared_.runs[i].folder);
        const Found found = look_at_one(prepared_, i, files_[prepared_.runs[i].variant], request_.folder);
        runs_[i].over = is_over(found.ending);
        if (runs_[i].over)  // it may have failed before
            claims_.remove_mark(runs_[i].name);
        return found;
    }

    // What is to be done for a run that this process has claimed; none where it is over.
    std::optional<Job> job_for(std::size_t i) {
        // A comparison that begins alone claims the whole and looks for claims on runs then; here it is the other way
        // round, so that one of the two sees the other.
        const std::optional<Holder> alone = claims_.holder(alone_claim);
        require(!alone || Watch::has_ended(*alone),
                "{}: a comparison without --join has begun in this folder: {}; wait for its end", request_.folder,
                alone ? alone->shown() : "");
        make_folder(prepared_.runs[i].folder);
        const Found found = look_at(i);
        if (runs_[i].over) {
            let_go(i);
            return std::nullopt;
        }
        Job job = training_job(comparison_, prepared_, i, found, Extend::no);
        job.arguments.push_back("--claim=" + runs_[i].claim->file().string());
        runs_[i].claim->renew();
        runs_[i].running = true;
        ++begun_;
        return job;
    }

    void say_who_is_waited_for() {
        constexpr double often = 60;
        const bool any = std::ranges::any_of(runs_, &Run::running);
        if (any || exhausted() || (waits_ && seconds_since(said_) < often))
            return;
        waits_ = true;
        said_ = Clock::now();
        std::vector<std::string> names;
        for (const Run& run : runs_)
            if (!run.over && !run.holder.empty())
                names.push_back(fmt::format("{} ({})", run.name, run.holder));
        if (!names.empty())
            log_.info("waiting for the runs of other processes: {}", joined(names));
    }

    const CompareRequest& request_;
    const Joining& joining_;
    const Comparison& comparison_;
    const Prepared& prepared_;
    Observer& log_;
    Claims claims_;
    Watch watch_;
    std::vector<Sealed> files_;  // of each variant
    std::vector<Run> runs_;
    bool found_ = true;  // a run, at the last look
    bool waits_ = false, stopped_ = false;
    int64_t begun_ = 0;
    Clock::time_point looked_, renewed_, said_;
};

// Holds the folder itself for the moment in which something is written there. None when told to
// stop.
std::optional<Claim> claim_folder(const fs::path& root, const Joining& joining, const std::function<int()>& stop) {
    const Claims claims(root);
    Watch watch(joining.silence);
    const std::string name = "comparison";
    while (!stop || stop() == 0) {
        const std::optional<Holder> holder = claims.holder(name);
        std::optional<Claim> claim;
        if (!holder)
            claim = claims.take(name);
        else if (Watch::is_dead(watch.look(name, *holder)))
            claim = claims.take_over(name, *holder);
        if (claim)
            return claim;
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    return std::nullopt;
}

// Refuses a folder in which one process runs the comparison alone. Waits until it is known whether one
// of another machine lives.
void refuse_alone(const fs::path& root, const Joining& joining, const std::function<int()>& stop) {
    const Claims claims(root);
    Watch watch(joining.silence);
    while (!stop || stop() == 0) {
        const std::string locked = lock_holder(root);
        const std::optional<Holder> holder = claims.holder(alone_claim);
        const Watch::Life life = holder ? watch.look(alone_claim, *holder) : Watch::Life::ended;
        require(locked.empty() && life != Watch::Life::alive,
                "{}: a comparison without --join runs in this folder: {}; wait for its end", root.string(),
                locked.empty() ? holder->shown() : "process " + locked);
        if (Watch::is_dead(life)) {
            if (holder)
                claims.take_over(alone_claim, *holder);  // and at once given back
            return;
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
}

// With one variant and one seed.
Comparison alone(const Comparison& c, int64_t task) {
    const std::vector<Planned> runs = planned_runs(c, "");
    require(task >= 1 && task <= std::ssize(runs), "{}: --task: no such run: {}, allowed 1 to {}", c.path, task, runs.size());
    const Planned& run = runs[static_cast<std::size_t>(task - 1)];
    Comparison one = c;
    one.variants = {c.variants[run.variant]};
    one.seeds = {c.seeds[run.seed]};
    one.reference = 0;
    one.variants[0].null_variant = false;  // the reference that it is compared with is not there
    return one;
}

// Draws the table, and writes it and its page where others have not done so. The looks of others,
// which may have come since this process began, count; so all is done while the folder is held.
Compared publish(const CompareRequest& request, const Joining& joining, Prepared prepared,
                 const std::map<std::size_t, std::string>& failures) {
    const fs::path path = fs::path(request.folder) / table_file, page = fs::path(request.folder) / page_file;
    while (std::optional<Claim> held = claim_folder(request.folder, joining, request.stop)) {
        write_folder(request.folder, request.comparison, &prepared);
        prepared.settings.looks = looks_in(path);
        Compared compared = conclude(request.comparison, prepared, failures, *request.observer);
        const std::string text = json_file(compared);
        if (!held->renew())  // it took so long that another process has the folder now
            continue;
        constexpr std::size_t largest = std::size_t{1} << 30;
        const bool written = kind_of(path) == Kind::file && read_file(path, largest) == text;
        if (written && (!request.compared || is_there(page)))
            return compared;
        // compare.json last: where it is, the page is, too, whenever this process is killed.
        if (request.compared)
            request.compared(compared);
        write_file_atomically(path, text);
        request.observer->info("{}", page.string());
        return compared;
    }
    Compared stopped;
    stopped.stopped = true;
    return stopped;
}

}  // namespace

namespace {
// Of the last training line, or of a validation: a test line has the step of the best checkpoint.
int64_t steps_done(const fs::path& folder) {
    int64_t most = 0;
    const RunRecord run = read_run(folder, 0);
    for (const Line& line : run.lines) most = std::max(most, line.step);
    return std::max(most, run.steps);
}
}  // namespace

std::vector<ListedRun> runs_of(const Comparison& c, const fs::path& root) {
    const Claims claims(root);
    std::vector<ListedRun> listed;
    for (const Planned& run : planned_runs(c, root)) {
        const std::string name = claim_name(c, run);
        ListedRun l{.task = std::ssize(listed) + 1,
                    .variant = c.variants[run.variant].name,
                    .seed = run.experiment.seed,
                    .folder = run.folder,
                    .ending = ending_in_summary(run.folder),
                    .step = steps_done(run.folder),
                    .holder = "",
                    .message = ""};
        const std::optional<Holder> holder = claims.holder(name);
        if (holder && !Watch::has_ended(*holder))
            l.holder = holder->shown();
        if (RunEnd end = end_of(claims, name, run.folder); l.holder.empty()) {
            l.ending = end.ending;
            l.message = std::move(end.message);
        }
        listed.push_back(std::move(l));
    }
    return listed;
}

std::string text_of(const std::vector<ListedRun>& runs) {
    std::string text;
    for (const ListedRun& r : runs)
        text += fmt::format("{}\t{}\t{}\t{}\t{}\tstep {}{}{}\n", r.task, r.variant, r.seed, r.folder.string(),
                            ending_name(r.ending), r.step, r.holder.empty() ? "" : "\t" + r.holder,
                            r.message.empty() ? "" : "\t" + r.message);
    return text;
}

std::vector<RecordWriter> json_of(const std::vector<ListedRun>& runs) {
    return records_of(runs, [](const ListedRun& r) {
        RecordWriter json = {{"task", r.task},
                             {"variant", r.variant},
                             {"seed", r.seed},
                             {"folder", r.folder.string()},
                             {"status", ending_name(r.ending)},
                             {"step", r.step}};
        if (!r.holder.empty())
            json.set("holder", r.holder);
        if (!r.message.empty())
            json.set("message", r.message);
        return json;
    });
}

namespace {

// Writes what the folder's files say, and makes the runs that nobody has.
void make_runs(const CompareRequest& request, const Joining& joining, const Comparison& c, const Prepared& prepared,
               SharedRuns& runs) {
    const fs::path root = request.folder;
    Observer& log = *request.observer;
    make_folders(root);
    if (const std::optional<Claim> held = claim_folder(root, joining, request.stop)) {
        require_same_variants(root, request.comparison);
        write_folder(root, request.comparison, joining.task ? nullptr : &prepared);
    }
    // Lines of several machines in one file could overwrite each other.
    log.open_log(host_log(root), LogFile::append);
    const int parallel = std::max(1, std::min(request.threads, static_cast<int>(runs.all() - runs.done())));
    log.info("{}: {} x {}; {} of {} runs to do, with other processes, {} side by side here; {}", c.name,
             counted(std::ssize(c.variants), "variant"), counted(std::ssize(c.seeds), "seed"), runs.all() - runs.done(),
             runs.all(), parallel, root.string());
    run_jobs(
        runs,
        {.parallel = parallel, .threads = request.threads, .start = request.start, .stop = request.stop, .observer = &log});
}

// As all can see them, with the failures of which this process could not write a mark.
std::vector<ListedRun> listed_now(const CompareRequest& request, const SharedRuns& runs) {
    std::vector<ListedRun> listed = runs_of(request.comparison, request.folder);
    const std::vector<Planned> planned = planned_runs(request.comparison, request.folder);
    for (std::size_t i = 0; i < listed.size(); ++i) {
        const std::string failure = runs.failure(claim_name(request.comparison, planned[i]));
        if (failure.empty() || is_over(listed[i].ending) || !listed[i].holder.empty())
            continue;
        listed[i].ending = Ending::failed;
        listed[i].message = failure;
    }
    return listed;
}

}  // namespace

Joined join_comparison(const CompareRequest& request, const Joining& joining) {
    ensure(request.existing == Existing::resume && request.extend == Extend::no,
           "{}: several processes neither overwrite nor extend runs", request.folder);
    const Comparison c = joining.task ? alone(request.comparison, *joining.task) : request.comparison;
    const auto told_to_stop = [&] { return request.stop && request.stop() != 0; };
    Prepared prepared;
    const auto is_interrupted = [&](const Comparison& of) {
        return interruptibly(told_to_stop, [&] { prepared = prepare(of, request.folder); }) == Ended::interrupted;
    };
    Joined result;
    result.compared.stopped = true;  // so it is until all runs have come to their end
    check_folder(request.folder, request.comparison);
    refuse_alone(request.folder, joining, request.stop);
    if (is_interrupted(c))
        return result;
    refuse_alone(request.folder, joining, request.stop);  // one may have begun meanwhile
    SharedRuns runs(request, joining, c, prepared);
    if (fs::exists(request.folder))
        runs.look_at_all();
    make_runs(request, joining, c, prepared, runs);
    result.compared.begun = runs.begun();
    const std::vector<ListedRun> listed = listed_now(request, runs);
    if (joining.task) {
        const ListedRun& task = listed[static_cast<std::size_t>(*joining.task - 1)];
        result.task = task.ending;
        result.message = is_over(task.ending) ? task.message : runs.holder(0);
    }
    result.open = std::ranges::count_if(listed, [](const ListedRun& r) { return !is_over(r.ending); });
    result.compared.stopped = told_to_stop() || (runs.stopped() && result.open > 0);
    if (result.compared.stopped || result.open > 0)
        return result;
    if (joining.task && is_interrupted(request.comparison)) {  // of all variants now
        result.compared.stopped = true;
        return result;
    }
    std::map<std::size_t, std::string> failures;
    for (std::size_t i = 0; i < listed.size(); ++i)
        if (listed[i].ending == Ending::failed)
            failures.emplace(i, listed[i].message);
    result.compared = publish(request, joining, std::move(prepared), failures);
    result.compared.begun = runs.begun();
    Claims(request.folder).tidy();
    return result;
}

}  // namespace attend::compare
