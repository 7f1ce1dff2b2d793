#pragma once
/// A training run: all that it works with, and its beginning.
#include <memory>
#include <optional>
#include <string>

#include "core/base/line_file.h"
#include "core/base/parallel.h"
#include "optim/average.h"
#include "train/experiment/assemble.h"
#include "train/learn/step.h"
#include "train/learn/training.h"
#include "train/records/maps.h"
#include "train/records/metrics_log.h"

namespace attend {

struct RunState {
    /// Looks at the folder and makes data and model; the folder stays as it is.
    explicit RunState(const TrainRequest& asked);

    /// Makes the folder ready, reads the checkpoint to continue from, opens the files and logs what
    /// is trained.
    void begin();

    uint64_t seed() const { return static_cast<uint64_t>(experiment.seed); }
    const TrainOptions& options() const { return experiment.train; }
    bool stopping() const { return request.stop && request.stop(); }
    /// What is evaluated and saved as the model.
    const ModelInStore& judged() const { return average ? averaged : made; }
    Checkpointed trained() { return {*judged().store, *optimizer, average ? made.store.get() : nullptr}; }
    bool going_on() const { return request.existing == Existing::resume && folder.has_checkpoint(); }
    bool evaluating() const { return task->size(Split::valid) > 0 && !options().overfit_one_batch; }

    const TrainRequest& request;
    Observer& log;
    RunFolder folder;
    RunLock lock;
    Workers workers;
    std::unique_ptr<Task> task;
    Experiment experiment;
    std::string data;  ///< seal of its files
    ModelInStore made;
    std::unique_ptr<Objective> objective;
    std::unique_ptr<Optimizer> optimizer;
    std::unique_ptr<Schedule> schedule;
    std::unique_ptr<Batches> batches;
    TrainingStep training_step;
    std::string begun_with;  ///< what init.from gave, for the log
    ModelInStore averaged;   ///< empty without averaging
    std::optional<Average> average;
    Progressed at;            ///< where it stands
    int64_t saved_step = -1;  ///< of the newest checkpoint
    std::optional<MetricsLog> metrics;
    std::optional<LineFile> samples;

  private:
    void begin_anew();
    void begin_from_checkpoint();
    void log_beginning(const ExtendedOptions& extended_before);
};

}  // namespace attend
