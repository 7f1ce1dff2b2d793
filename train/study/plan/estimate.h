#pragma once
/// How long a run takes and how much memory it needs, from a few of its steps and evaluations.
#include "data/task.h"
#include "train/experiment/assemble.h"

namespace attend::plan {

/// One kind of evaluation that a run makes.
struct EstimatedEvaluation {
    std::string what;     ///< "valid, without decoding"
    int64_t times = 0;    ///< how often a run makes it
    double seconds = 0;   ///< each time
    int64_t batches = 0;  ///< in it
};

struct Estimate {
    int threads = 1;
    int64_t batches_per_epoch = 0;
    int64_t targets_per_epoch = 0;  ///< estimated from `counted` batches where those are not all
    int64_t batches_counted = 0;
    int64_t batches_per_step = 1;  ///< whose gradients are added up
    int64_t steps = 0;
    int64_t measured_steps = 0;
    double step_seconds = 0;  ///< mean over batches of all sizes
    std::vector<EstimatedEvaluation> evaluations;
    /// Training and evaluations, as `seconds` of summary.json counts them: without loading the data
    /// and without checkpoints.
    double seconds = 0;
    int64_t checkpoints = 0;  ///< at the intervals; a better evaluation in between writes one more
    double checkpoint_mib = 0;
    double peak_memory_mib = 0;  ///< as `peak_memory_mib` of summary.json
};

/// Trains the model for some steps on batches of all sizes, the largest among them, and evaluates
/// parts of the other splits as a run would. The model is left trained; nothing is written. The
/// peak of memory is that of this process, so a process that has done other things before estimates
/// too much. Decoding is timed as if the model had learnt where its outputs end. Throws Diverged
/// when a step does.
Estimate estimate(const Experiment& experiment, const Task& task, const ModelInStore& made, int threads);

}  // namespace attend::plan
