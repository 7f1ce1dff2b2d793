#include "train/run/assemble.h"

namespace attend::inline ATTEND_PRECISION {

ModelInStore make_model(const Experiment& experiment, const Task& task) {
    ModelInStore made;
    made.store = std::make_unique<ParameterStore>(static_cast<uint64_t>(experiment.seed));
    const ModelSetup setup{.source_vocabulary = task.source_vocabulary_size(),
                           .target_vocabulary = task.target_vocabulary_size()};
    made.model = model_table().build(experiment.model, Scope(*made.store), setup);
    return made;
}

}  // namespace attend::inline ATTEND_PRECISION
