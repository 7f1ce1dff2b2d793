#pragma once
/// Weight averaging: a moving average along the run (a second store with a second model over it),
/// and the mean of checkpoints.
#include <filesystem>
#include <span>

#include "core/base/parallel.h"
#include "core/parameters.h"
#include "core/safetensors.h"

namespace attend::ATTEND_PRECISION {

/// The largest share of the averaged weights that can be kept in a step.
constexpr double most_decay = 0.9999999;

struct AverageOptions {
    double decay = 0.999;  ///< share of the averaged weights kept in a step
    bool warmup = true;    ///< keep less at first
};

/// Exponential moving average of a store's parameters (Polyak and Juditsky 1992; in this form
/// Tarvainen and Valpola 2017):
///     a = d a + (1 - d) p  after every step,  d = decay, with warmup min(decay, (1 + step) / (10 + step)), step from 0,
/// so that the first steps, which are far from the later ones, soon have little weight. Named state
/// is copied, with its count of updates. All that a checkpoint needs is the averaged store, saved
/// like any other.
class Average {
  public:
    /// Averages `live` into `averaged`, the store of a second model built alike; both outlive this.
    /// Starts with a copy. Throws Error when decay is not in 0 ... most_decay, and MachineError
    /// when the stores differ in names or shapes.
    Average(const AverageOptions& options, ParameterStore& live, ParameterStore& averaged);
    /// After step number `step` (from 0): one pass in parallel blocks; the bits do not depend on
    /// the workers.
    void update(int64_t step, Workers& workers);
    /// d of that step.
    double decay(int64_t step) const;

  private:
    void take_state();
    AverageOptions options_;
    ParameterStore& live_;  // only read
    ParameterStore& averaged_;
};

/// Writes the mean of the files' tensors to `to` (Vaswani et al. 2017, 6.1: the last checkpoints of
/// a run), summed in double in the order given. Metadata are the first file's. Throws Error when
/// there is no file, or one has other tensors, shapes or integer tensors.
WrittenFile average_files(std::span<const std::filesystem::path> files, const std::filesystem::path& to);

}  // namespace attend::ATTEND_PRECISION
