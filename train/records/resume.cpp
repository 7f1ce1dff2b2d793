#include "train/records/resume.h"

#include <algorithm>

#include "train/config/words.h"
#include "train/config/writer.h"
#include "train/records/older_checkpoints.h"

namespace attend::ATTEND_PRECISION {

namespace {

// The schedule itself is asked for what it is; no peak is above this one, so that every legal final
// rate is below it.
std::unique_ptr<Schedule> specimen(const Experiment& e) {
    constexpr double highest_rate = 1e9;
    return schedule_table().build(e.schedule, highest_rate, e.train.steps);
}

bool follows_evaluations(const Experiment& e) { return e.train.patience > 0 || !specimen(e)->state().empty(); }

// A schedule that counts its steps from one in the middle of the run.
class Later final : public Schedule {
  public:
    Later(std::unique_ptr<Schedule> schedule, int64_t from) : schedule_(std::move(schedule)), from_(from) {}
    double rate(int64_t step) const override { return schedule_->rate(std::max<int64_t>(step - from_, 0)); }
    bool depends_on_steps() const override { return schedule_->depends_on_steps(); }
    void evaluated(double metric) override { schedule_->evaluated(metric); }
    std::vector<double> state() const override { return schedule_->state(); }
    void restore(const std::vector<double>& state) override { schedule_->restore(state); }

  private:
    std::unique_ptr<Schedule> schedule_;
    int64_t from_;
};

// Throws Error for what of `now` may not differ from `before`, a line each: "train.batch: before
// 64, now 32".
void refuse_changes(const RunFolder& folder, const Experiment& before, const Experiment& now) {
    static const std::vector<std::string> harmless = {"train.steps",          "train.max_seconds",      "train.log_every",
                                                      "train.evaluate_every", "train.checkpoint_every", "train.keep",
                                                      "train.tensorboard"};
    const bool followed = follows_evaluations(before);
    std::string list;
    int64_t count = 0;
    for (const config::Difference& d : config::differences(before, now)) {
        const bool matters = followed && d.path == "train.evaluate_every";
        if (contains(harmless, d.path) && !matters)
            continue;
        ++count;
        list += fmt::format("\n  {}: before {}, now {}{}", d.path, d.before.empty() ? "nothing" : d.before,
                            d.after.empty() ? "nothing" : d.after, matters ? " (schedule or patience follow evaluations)" : "");
    }
    require(count == 0,
            "{}: not the experiment that this run began with: {} changed:{}\n"
            "--resume allows changes to threads, train.steps (to more of them with --extend), train.max_seconds, train.keep, "
            "train.tensorboard and the intervals; give the same --set again as at the beginning, or continue the run as it is: "
            "attend train {} --resume",
            folder.config().string(), counted(count, "option"), list, shell_word(folder.config().string()));
}

std::string schedules_until(const Experiment& before, int64_t done) {
    const std::string& earlier = before.extended.schedules;
    return fmt::format("{}{}{} until {}", earlier, earlier.empty() ? "" : "; ", text_of(before.schedule), done);
}

}  // namespace

Experiment resumed(const RunFolder& folder, const Experiment& asked, Experiment resolved, Extend extend) {
    Experiment before = folder.experiment();
    Experiment now = keep_choices(asked, std::move(resolved), before);
    const std::string where = folder.config().string();
    if (!folder.has_checkpoint()) {
        now.extended = before.extended = {};
        refuse_changes(folder, before, now);
        return now;
    }
    const int64_t steps = before.train.steps, wanted = now.train.steps;
    const bool more = wanted > steps, given = extend == Extend::with_schedule;
    if (!now.extended.any())
        now.extended = before.extended;
    Experiment but_schedule = before;
    if (more)
        but_schedule.schedule = now.schedule;
    refuse_changes(folder, but_schedule, now);

    const Progressed done = progressed_of_last(folder);
    require(done.step <= wanted, "{}: the run is already further than asked for: steps done {}, train.steps {}",
            folder.last().string(), done.step, wanted);
    const double limit = before.train.max_seconds;
    const bool longer = limit > 0 && done.seconds >= limit &&
                        (now.train.max_seconds == 0 || now.train.max_seconds > done.seconds) && done.step < wanted;
    const bool schedule_depends = depends_on_steps(before);
    if (wanted < steps) {
        require(!before.extended.any(), "{}: a run that was extended does not go back: train.steps before {}, now {}", where,
                steps, wanted);
        require(!schedule_depends,
                "{}: so far the schedule was laid over more steps: schedule {}, train.steps before {}, now {}, steps done {}; "
                "--overwrite starts again",
                where, before.schedule.name(), steps, wanted, done.step);
    }
    if (!more && !longer)
        return now;
    if (more)
        require(extend != Extend::no,
                "{}: continuing with more steps than the run began with needs --extend: train.steps before {}, now {}, steps "
                "done {}; --overwrite, or another --out, trains {} steps at once",
                where, steps, wanted, done.step, wanted);
    require(extend != Extend::no,
            "{}: continuing after the run's end needs --extend: train.max_seconds before {}, now {}, seconds done {:.1f}",
            where, limit, now.train.max_seconds, done.seconds);
    const bool replaced = more && (given || !config::differences(before, but_schedule).empty());
    require(!more || replaced || !schedule_depends,
            "{}: the schedule depends on the number of steps and was laid over fewer: schedule {}, train.steps before {}, now "
            "{}, steps done {}; give one for the steps that are added, in which it begins again: --set schedule=constant, or "
            "--set schedule={}",
            where, before.schedule.name(), steps, wanted, done.step, before.schedule.name());
    if (replaced) {
        now.extended.schedules = schedules_until(before, done.step);
        now.extended.schedule_from = done.step;
    }
    now.extended.at.push_back(static_cast<double>(done.step));
    now.extended.before.push_back(static_cast<double>(steps));
    now.extended.now.push_back(static_cast<double>(wanted));
    return now;
}

void require_not_extended(const Experiment& experiment, const std::string& where) {
    require(
        !experiment.extended.any() && experiment.extended.schedule_from == 0,
        "{}: extended: the experiment of a run that went on after its end, which no new run can be begun with: extended {}, "
        "train.steps {}; --resume continues that run; without 'extended' all steps are trained at once",
        where, extended_text(experiment.extended), experiment.train.steps);
}

Experiment keep_choices(const Experiment& asked, Experiment resolved, const Experiment& before) {
    TrainOptions& t = resolved.train;
    if (asked.train.shards == 0)
        t.shards = before.train.shards;
    if (asked.train.evaluate_every == 0) {
        t.evaluate_every = before.train.evaluate_every;
        if (asked.train.checkpoint_every == 0)
            t.checkpoint_every = before.train.checkpoint_every;
    }
    return resolved;
}

bool depends_on_steps(const Experiment& experiment) { return specimen(experiment)->depends_on_steps(); }

std::unique_ptr<Schedule> schedule_of(const Experiment& e, double peak) {
    const int64_t from = e.extended.schedule_from;
    auto schedule = schedule_table().build(e.schedule, peak, std::max<int64_t>(e.train.steps - from, 0));
    return from == 0 ? std::move(schedule) : std::make_unique<Later>(std::move(schedule), from);
}

void restore_schedule(Schedule& schedule, const Experiment& e, const Progressed& p, const std::string& where) {
    const int64_t from = e.extended.schedule_from;
    require(p.step >= from, "{}: a checkpoint from before the run's schedule began: steps done {}, schedule_from {}", where,
            p.step, from);
    if (from == 0 || p.step > from)
        schedule.restore(p.schedule);
}

std::string extended_text(const ExtendedOptions& e) {
    std::string text;
    for (std::size_t i = 0; i < std::min({e.at.size(), e.before.size(), e.now.size()}); ++i)
        text += fmt::format("{}at step {} from {} to {} steps", i ? ", " : "", e.at[i], e.before[i], e.now[i]);
    return text;
}

}  // namespace attend::ATTEND_PRECISION
