#pragma once
/// What a run would be, before it is: model and options, size of the data, and how long it takes and how much memory it needs,
/// estimated from a few measured steps. Writes nothing.
#include <string>
#include <vector>

#include "train/study/plan/estimate.h"
#include "train/study/plan/settings.h"
#include "train/experiment/assemble.h"
#include "train/records/record_writer.h"

namespace attend::plan {

/// The parameters below one part of a name: a module, or one parameter.
struct Module {
    std::string name;   ///< "encoder", "weight"
    std::string shape;  ///< of a parameter; "" for a module
    int64_t count = 0;  ///< elements
    bool trainable = true;
    std::vector<Module> parts;  ///< of a module, in the order of the store
};

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

/// Builds it, measures some steps and evaluations on `threads` threads, and forgets them. Throws as build(), and Diverged when
/// the measured steps do.
Plan make_plan(const Experiment& asked, int threads);

/// For people.
std::string text_of(const Plan& plan);
/// For programs: the same as one object, with "seconds" and "peak_memory_mib" as in summary.json.
RecordWriter json_of(const Plan& plan);

/// The table of a store as a tree of modules.
Module tree_of(const ParameterStore& store, const std::string& name);

}  // namespace attend::plan
