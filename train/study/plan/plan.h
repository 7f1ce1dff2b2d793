#pragma once
/// A run before it is begun: model and options, size of the data, and estimates of its time and
/// memory from a few measured steps. Writes nothing.
#include <string>
#include <vector>

#include "train/experiment/assemble.h"
#include "train/records/record_writer.h"
#include "train/study/plan/estimate.h"
#include "train/study/plan/module_tree.h"
#include "train/study/plan/settings.h"

namespace attend::plan {

/// What a run begins with.
struct Built {
    Experiment experiment;  ///< resolved
    std::unique_ptr<Task> task;
    ModelInStore made;
};

/// Makes task and model as a run does. Throws Error as a run does before its first step.
Built build(const Experiment& asked);

struct Plan {
    Experiment experiment;  ///< resolved
    std::vector<Setting> settings;
    std::vector<std::string> data;  ///< what the task says of itself
    Module model;
    int64_t parameters = 0;
    Estimate estimate;
};

/// Builds it, measures some steps and evaluations on `threads` threads, and forgets them. Throws as
/// build(), and Diverged when the measured steps do.
Plan make_plan(const Experiment& asked, int threads);

/// For people.
std::string text_of(const Plan& plan);
/// For programs: the same as one object, with "seconds" and "peak_memory_mib" as in summary.json.
RecordWriter json_of(const Plan& plan);

}  // namespace attend::plan
