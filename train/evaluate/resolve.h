#pragma once
/// The values of an experiment that are chosen automatically.
#include "data/task.h"
#include "train/experiment/experiment.h"

namespace attend::ATTEND_PRECISION {

/// What choosing the automatic values needs to know.
struct Surroundings {
    int64_t batches_per_epoch = 0;
    int64_t cores = 1;
    std::vector<std::string> metrics;  ///< of the task
    int64_t validated = 0;             ///< examples of the validation split
};

/// The experiment with every automatic value chosen: `steps` from `epochs`, `shards` = min(cores,
/// batch), an evaluation every tenth of the run (every epoch if `epochs` is given), a checkpoint at
/// each evaluation, `best_metric`: exact_match, else bleu, else loss. Throws Error for steps and
/// epochs both given or both missing, more shards than rows, a best_metric that this task or these
/// options do not compute, and patience without a validation split.
Experiment resolve(Experiment experiment, const Surroundings& surroundings);

/// resolve() with what this task and this machine say. Throws Error as resolve(), and for a task
/// without training examples.
Experiment resolve_for(Experiment experiment, const Task& task);

}  // namespace attend::ATTEND_PRECISION
