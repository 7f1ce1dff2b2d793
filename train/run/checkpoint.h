#pragma once
/// A checkpoint is a folder of three files: model.safetensors (parameters and named state), optimizer.safetensors, and
/// state.json, which is written last and holds the size and CRC-32 of the others and of itself.
#include <filesystem>
#include <optional>

#include "core/parameters.h"
#include "optim/optimizer.h"
#include "train/run/evaluate.h"

namespace attend::inline ATTEND_PRECISION {

/// An evaluation and the number of steps done before it.
struct ScoredStep {
    int64_t step = 0;
    Scores scores;
};

/// Where a run stands, besides its parameters and the optimiser's arrays. The position in the data is the step.
struct Progressed {
    int64_t step = 0;    ///< steps done
    double seconds = 0;  ///< training and evaluation so far
    /// What the next training line of metrics.jsonl will be made of: sums since the last one.
    double line_loss = 0;
    int64_t line_targets = 0;
    double line_seconds = 0;
    std::optional<ScoredStep> train;     ///< the last training line
    std::optional<ScoredStep> valid;     ///< the last evaluation of the validation split
    std::optional<ScoredStep> best;      ///< the best one; its checkpoint is `best`
    int64_t evaluations_since_best = 0;  ///< in a row without a better best_metric
    std::vector<double> schedule;        ///< what evaluations left behind in the schedule (Schedule::state)
    std::string vocabulary;  ///< seal of the vocabulary the parameters were trained with (RunFolder::vocabulary_seal)
};

/// Whether model.safetensors alone is wanted, or all that training goes on from.
enum class Restore { model, everything };

/// Writes the three files into `folder`, which is made where it is missing. Throws Diverged, with nothing written, when a
/// parameter, a named state or an optimiser's value is not finite; MachineError when writing fails.
void save_checkpoint(const std::filesystem::path& folder, ParameterStore& store, Optimizer& optimizer,
                     const Progressed& progressed);

/// Reads `folder` into the store and, for Restore::everything, into `optimizer` (else it may be null). Throws Error
/// when a file is missing, broken or not the one that was written, and when the tensors are not
/// those of this model: all of the missing, unknown and misshaped are counted and named.
Progressed load_checkpoint(const std::filesystem::path& folder, ParameterStore& store, Optimizer* optimizer, Restore restore);

}  // namespace attend::inline ATTEND_PRECISION
