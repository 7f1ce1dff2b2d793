#pragma once
/// The flight recorder's bundle: all inputs of a training step that diverged, in one file, so that
/// `attend check` can take that step again on another machine. A safetensors file: tensors
/// `model.NAME` (parameters and named state as they were before the step) and `batch.N.source`,
/// `.input`, `.target`, `.segments` with their lengths and `.labels` (exact ids, so no data files
/// are needed), and metadata: `config` (the run's, resolved), `bundle` (a JSON record) and `crc32`
/// of all of these. The random streams have no state: their key is the config's seed and the number
/// of steps done.
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/safetensors.h"
#include "data/task.h"
#include "nn/models/model.h"
#include "train/experiment/experiment.h"
#include "train/experiment/step_values.h"
#include "train/records/step_failure.h"

namespace attend::ATTEND_PRECISION {

/// What of a step that diverged is recorded. Signs of NaN are dropped: they are the processor's
/// choice.
StepFailure failure_of(const StepDiverged& diverged);

struct Bundle {
    Experiment experiment;  ///< resolved
    ModelSetup vocabularies;
    int64_t steps_done = 0;      ///< before the failing step
    std::vector<Batch> batches;  ///< the step's
    StepFailure failure;
    std::string precision = precision_name;  ///< of the run
};

/// Replaces the file by this bundle, atomically, with the store's values. Throws MachineError when
/// writing fails.
void write_bundle(const std::filesystem::path& path, const Bundle& bundle, ParameterStore& store);

/// A bundle to read: a file of that kind by its name, or a run's folder, whose bundle it stands
/// for; "" for any other path. Throws Error for a folder without one.
std::filesystem::path bundle_at(const std::filesystem::path& path);

/// A bundle's file, checked completely.
class BundleFile {
  public:
    /// Throws Error naming the file for one that is missing, broken, of another format or no
    /// bundle, and for a config, record or batch in it that does not hold together (lengths beyond
    /// the columns, ids outside of the vocabularies).
    explicit BundleFile(const std::filesystem::path& path);

    const Bundle& bundle() const { return bundle_; }
    std::string path() const { return file_.path().string(); }
    /// Fills parameters and named state. Throws Error when the tensors are not those of the store's
    /// model: all of the missing, unknown and misshaped are counted and named.
    void load(ParameterStore& store) const;

  private:
    SafetensorsFile file_;
    Bundle bundle_;
    std::vector<std::pair<std::string, int64_t>> state_updates_;
};

}  // namespace attend::ATTEND_PRECISION
