#include "train/learn/restored.h"

#include "train/records/older_checkpoints.h"

namespace attend {

Restored restore(const std::string& path, Data data) {
    const RunAndCheckpoint found = find_run(path);
    Restored r{.experiment = found.run.experiment(), .task = nullptr, .made = {}, .step = 0, .warning = ""};
    r.task = task_table().build(r.experiment.data, task_setup(r.experiment, found.run.vocabulary().string(), data));
    // It was trained: whether it should have been so is no question here. Who evaluates a split
    // looks at its lengths.
    ModelSetup vocabularies = vocabularies_of(*r.task);
    vocabularies.symbols = Symbols::same;
    r.made = make_model(r.experiment, vocabularies);
    Progressed progressed;
    try {
        progressed = load_model(found.checkpoint, *r.made.store);
    } catch (const Error&) {
        check_model_of(found);  // says more where the checkpoint's files are broken
        throw;
    }
    found.run.check_vocabulary(progressed.vocabulary);
    r.step = progressed.step;
    if (data == Data::splits)
        if (const std::string now = data_seal(r.experiment); now != progressed.data)
            r.warning = fmt::format("{}: the data files are not those that the run was trained with: then {}; now {}", path,
                                    progressed.data, now);
    return r;
}

}  // namespace attend
