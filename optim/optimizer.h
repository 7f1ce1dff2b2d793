#pragma once
/// Optimisers over the flat arena, and learning-rate schedules. Formulas and defaults as PyTorch documents them.
#include <memory>
#include <string>
#include <vector>

#include "core/options.h"
#include "core/parallel.h"
#include "core/parameters.h"

namespace attend::inline ATTEND_PRECISION {

/// One update: what all of it needs to know.
struct UpdateStep {
    int64_t step = 0;  ///< from 0
    double learning_rate = 0;
    double gradient_scale = 1;  ///< multiplies every gradient (clipping)
};

/// An optimiser owns flat state arrays with the layout of the arena. Weight decay acts on parameters of two or more
/// dimensions; frozen parameters are left alone.
class Optimizer {
  public:
    virtual ~Optimizer() = default;
    /// The peak learning rate of its options.
    virtual double learning_rate() const = 0;
    /// Names of the state arrays ("m", "v"), each of store.size() elements, for checkpoints.
    virtual std::vector<std::string> state_names() const = 0;
    virtual real* state(std::size_t index) = 0;
    /// Updates elements [begin, end) of the arena: disjoint ranges may run at the same time.
    virtual void update(ParameterStore& store, const real* gradient, const UpdateStep& step, int64_t begin, int64_t end) = 0;
};
const Table<std::unique_ptr<Optimizer>(const ParameterStore&)>& optimizer_table();

/// Updates the whole arena in parallel over fixed blocks.
void update(Optimizer& optimizer, ParameterStore& store, const real* gradient, const UpdateStep& step, Workers& workers);

/// Euclidean norm of a flat gradient: sums of squares in double over fixed blocks, added in order.
double gradient_norm(const real* gradient, int64_t size, Workers& workers);
/// The factor that clips a gradient of norm `norm` to `limit` (0: no clipping): min(1, limit / (norm + 1e-6)), as
/// torch.nn.utils.clip_grad_norm_. A norm that is NaN gives NaN. Throws Error for a limit below 0 or not finite.
double clip_factor(double norm, double limit);

/// Learning rate as a function of the step (from 0), for any step at or above 0: behind the run's end it stays as it ended.
/// A warm-up longer than the run is legal (a run cut short is the beginning of the long one); a final rate above the peak
/// throws Error when the schedule is built.
class Schedule {
  public:
    virtual ~Schedule() = default;
    virtual double rate(int64_t step) const = 0;
};
/// Built from (peak rate, total steps).
const Table<std::unique_ptr<Schedule>(double, int64_t)>& schedule_table();

}  // namespace attend::inline ATTEND_PRECISION
