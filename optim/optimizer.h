#pragma once
/// Optimisers over the flat arena, and learning-rate schedules. Formulas and defaults as PyTorch
/// documents them.
#include <memory>
#include <string>
#include <vector>

#include "core/base/options.h"
#include "core/base/parallel.h"
#include "core/parameters.h"

namespace attend::ATTEND_PRECISION {

/// The numbers of one update.
struct UpdateStep {
    int64_t step = 0;  ///< from 0
    double learning_rate = 0;
    double gradient_scale = 1;  ///< multiplies every gradient (clipping)
};

/// A piece of an optimiser's state, under its name in a checkpoint: "m.decoder.head.weight".
struct OptimizerState {
    std::string name;
    Shape shape;
    real* values;
};

/// An optimiser owns its state: flat arrays with the layout of the arena, or (Adafactor) pieces of
/// sizes of its own. Weight decay acts on parameters of two or more dimensions; frozen parameters
/// are left alone.
class Optimizer {
  public:
    virtual ~Optimizer() = default;
    /// The peak learning rate of its options.
    virtual double learning_rate() const = 0;
    /// All state that a checkpoint needs, in a fixed order: to continue from equal state and
    /// parameters gives equal bits.
    virtual std::vector<OptimizerState> state(const ParameterStore& store) = 0;
    /// Once in each step, before update(): what spans more than a range (statistics of complete
    /// parameters, products over the steps). Its bits do not depend on the number of workers.
    virtual void prepare(const ParameterStore& store, const real* gradient, const UpdateStep& step, Workers& workers);
    /// Updates elements [begin, end) of the arena: disjoint ranges may run at the same time.
    virtual void update(ParameterStore& store, const real* gradient, const UpdateStep& step, int64_t begin, int64_t end) = 0;
};
using OptimizerTable = Table<std::unique_ptr<Optimizer>(const ParameterStore&)>;
const OptimizerTable& optimizer_table();

/// A complete update: prepare(), then the arena in parallel over fixed blocks.
void update(Optimizer& optimizer, ParameterStore& store, const real* gradient, const UpdateStep& step, Workers& workers);

/// Euclidean norm of a flat gradient: sums of squares in double over fixed blocks, added in order.
double gradient_norm(const real* gradient, int64_t size, Workers& workers);
/// The factor that clips a gradient of norm `norm` to `limit` (0: no clipping): min(1, limit /
/// (norm + 1e-6)), as torch.nn.utils.clip_grad_norm_. A norm that is NaN gives NaN. Throws Error
/// for a limit below 0 or not finite.
double clip_factor(double norm, double limit);

/// Clips every element of a flat gradient to -limit ... limit, in place, as
/// torch.nn.utils.clip_grad_value_ (0: no clipping); NaN stays NaN. Comes before the norm where
/// both are asked for. Throws Error for a limit below 0 or not finite.
void clip_value(real* gradient, int64_t size, double limit, Workers& workers);

/// Learning rate as a function of the step (from 0), for any step at or above 0: after the run's
/// end it stays as it ended. A warm-up longer than the run is legal (a run cut short is the
/// beginning of the long one); a final rate above the peak throws Error when the schedule is built.
class Schedule {
  public:
    virtual ~Schedule() = default;
    virtual double rate(int64_t step) const = 0;
    /// Whether the rate at a step depends on how many steps the run has in all. Where it does, a
    /// run that is continued beyond its end has had other rates than one that had that length from
    /// its first step.
    virtual bool depends_on_steps() const { return false; }
    /// Called after every evaluation. Of `metric` less is better: negate one of which more is
    /// better. Only plateau follows evaluations; with it the evaluation interval is part of the
    /// experiment.
    virtual void evaluated(double metric);
    /// State from evaluations, for a checkpoint: finite numbers; empty for schedules that do not
    /// follow evaluations.
    virtual std::vector<double> state() const;
    /// Restores what state() returned. Throws Error when it is not the state of such a schedule.
    virtual void restore(const std::vector<double>& state);
};
/// Built from (peak rate, total steps).
using ScheduleTable = Table<std::unique_ptr<Schedule>(double, int64_t)>;
const ScheduleTable& schedule_table();

}  // namespace attend::ATTEND_PRECISION
