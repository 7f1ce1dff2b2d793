#pragma once
/// What may change when a run continues (--resume), and how it continues beyond its end (--extend).
///
/// A schedule that depends on the number of steps has been laid over those that the run was begun
/// with. With more of them afterwards the run would be none that can be had at once, so it needs a
/// schedule for the steps that are added, which begins again where the run stands: with d steps
/// done and n in all, rate(s) is that of its step s - d of n - d.
#include <memory>

#include "optim/optimizer.h"
#include "train/records/extend.h"
#include "train/records/run_folder.h"

namespace attend::ATTEND_PRECISION {

/// The experiment that the run in `folder` continues with, for one that is `asked` for and
/// `resolved`. What was chosen automatically when the run began (shards, intervals) stays; an
/// extension is recorded in `extended`. Of a run without a checkpoint no step is known, so it
/// begins again, as long as is asked for. Throws Error
///  - for changes to anything but train.steps, train.max_seconds, train.keep, train.tensorboard and
///    the intervals (to evaluate_every, too, where schedule or patience follow evaluations),
///  - for fewer steps than are done, and for fewer than before where the schedule depends on their
///    number or the run was extended,
///  - without Extend for more steps than the run was begun with, and for more seconds where
///    train.max_seconds has ended it,
///  - with it for more steps where the schedule depends on their number and none is given for them.
Experiment resumed(const RunFolder& folder, const Experiment& asked, Experiment resolved, Extend extend);

/// Throws Error, naming `where`, for the experiment of a run that was extended: no new run is begun
/// with it.
void require_not_extended(const Experiment& experiment, const std::string& where);

/// `resolved` with what was chosen automatically, as `asked` has it, set to what `before` was begun
/// with.
Experiment keep_choices(const Experiment& asked, Experiment resolved, const Experiment& before);

/// Whether the rates of the experiment's schedule depend on the number of steps
/// (Schedule::depends_on_steps).
bool depends_on_steps(const Experiment& experiment);

/// The schedule of a resolved experiment, as steps are counted from the run's first; of an extended
/// one it is right from `extended.schedule_from` on. Throws Error as the schedule's constructor.
std::unique_ptr<Schedule> schedule_of(const Experiment& experiment, double peak);

/// Gives the schedule back what evaluations had left behind in it at the checkpoint `p`; one that
/// begins there starts from its beginning. Throws Error for a checkpoint from before the schedule
/// began.
void restore_schedule(Schedule& schedule, const Experiment& experiment, const Progressed& p, const std::string& where);

/// "at step 500 from 500 to 1000 steps, ..."; "" for a run that was not extended.
std::string extended_text(const ExtendedOptions& extended);

}  // namespace attend::ATTEND_PRECISION
