#pragma once
/// A trained model for the commands that use a run.
#include "train/experiment/assemble.h"
#include "train/records/run_folder.h"

namespace attend {

struct Restored {
    Experiment experiment;
    std::unique_ptr<Task> task;
    ModelInStore made;
    int64_t step = 0;  ///< of the checkpoint
    /// What to say of data files that are not those of the training; "" where they are.
    std::string warning;
};

/// Loads the checkpoint of a run's folder or a checkpoint's own folder (find_run()). Throws Error
/// as find_run(), RunFolder::experiment() and load_checkpoint().
Restored restore(const std::string& path, Data data);

}  // namespace attend
