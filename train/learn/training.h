#pragma once
/// A training run from experiment to summary: what `attend train` does.
#include <functional>
#include <string>

#include "train/records/observer.h"
#include "train/records/resume.h"

namespace attend {

struct TrainRequest {
    Experiment experiment;  ///< as read: automatic values are still to be chosen
    std::string folder;     ///< the run's
    int threads = 1;
    std::string claim;  ///< a file without which nothing more is written (RunLock::watch); "": none
    Existing existing = Existing::refuse;
    Extend extend = Extend::no;           ///< for Existing::resume: whether it may continue beyond its end
    Observer* observer = &no_observer();  ///< receives the progress
    /// Asked after every step and between the batches of an evaluation: whether to save and stop;
    /// and before the first step while data and weights are read, where there is nothing to save.
    std::function<bool()> stop;
    /// Called after every step with the number of steps done.
    std::function<void(int64_t)> after_step;
};

/// Whether a run came to its folder: one that was stopped while its data were read has not touched
/// it.
enum class Begun { yes, no };

struct TrainResult {
    Status status = Status::finished;
    Progressed progressed;
    Scores test;  ///< of the best checkpoint; empty without a test split
    Begun begun = Begun::yes;
};

/// Runs it. The order of things: the folder is looked at, the data and the model are made, and only
/// then the folder is changed. Throws Error for what the user can correct, Diverged (after the
/// summary was written, the last good checkpoint untouched) and MachineError.
TrainResult train(const TrainRequest& request);

}  // namespace attend
