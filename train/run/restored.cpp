#include "train/run/restored.h"

namespace attend::inline ATTEND_PRECISION {

Restored restore(const std::string& path, Data data) {
    const RunAndCheckpoint found = find_run(path);
    Restored r{.experiment = found.run.experiment(), .task = nullptr, .made = {}, .step = 0};
    const TaskSetup setup{.seed = static_cast<uint64_t>(r.experiment.seed),
                          .saved = found.run.vocabulary().string(),
                          .load_data = data == Data::splits};
    r.task = task_table().build(r.experiment.data, setup);
    r.made = make_model(r.experiment, *r.task);
    const Progressed progressed = load_model(found.checkpoint, *r.made.store);
    found.run.check_vocabulary(progressed.vocabulary);
    r.step = progressed.step;
    return r;
}

}  // namespace attend::inline ATTEND_PRECISION
