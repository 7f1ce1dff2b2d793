#pragma once
/// A checkpoint is a folder of three files: model.safetensors (parameters and named state),
/// optimizer.safetensors, and state.json, which is written last and holds the size and CRC-32 of
/// the others and of itself.
#include <filesystem>
#include <limits>
#include <optional>
#include <span>

#include "core/parameters.h"
#include "optim/optimizer.h"
#include "train/evaluate/scores.h"
#include "train/experiment/loss.h"
#include "train/records/z_score.h"

namespace attend::ATTEND_PRECISION {

/// An evaluation and the number of steps done before it.
struct ScoredStep {
    int64_t step = 0;
    Scores scores;
};

/// What the next training line of metrics.jsonl says of the last step.
struct LatestStep {
    double learning_rate = 0, gradient_norm = 0;
    double loss_z = 0, gradient_norm_z = 0;
};

/// Where a run stands, besides its parameters and the optimiser's arrays. The position in the data
/// is the step.
struct Progressed {
    int64_t step = 0;    ///< steps done
    double seconds = 0;  ///< training and evaluation so far
    double targets = 0;  ///< trained on so far, labels among them; NaN: not known, an older run was resumed
    double first_loss = std::numeric_limits<double>::quiet_NaN();  ///< of the first step; NaN: not known
    /// What the next training line of metrics.jsonl will be made of: sums since the last one.
    LossSums line_sums;
    LossCounts line_counts;
    double line_seconds = 0;
    LatestStep latest;
    std::optional<ScoredStep> train;     ///< the last training line
    std::optional<ScoredStep> valid;     ///< the last evaluation of the validation split
    std::optional<ScoredStep> best;      ///< the best one; its checkpoint is `best`
    int64_t evaluations_since_best = 0;  ///< in a row without a better best_metric
    std::vector<double> schedule;        ///< what evaluations left behind in the schedule (Schedule::state)
    MovingMoments loss, gradient_norm;   ///< of the steps so far: what z-scores compare with
    std::string program;                 ///< version and commit of what wrote the checkpoint; "" where it did not say
    std::string data;                    ///< seal of the data's files (data_seal)
    std::string weights;                 ///< seal of the weights that the run began with (weights_seal)
    std::string vocabulary;  ///< seal of the vocabulary the parameters were trained with (RunFolder::vocabulary_seal)
};

/// What a run holds of its model while it trains.
struct Checkpointed {
    ParameterStore& model;           ///< what is evaluated and used afterwards: model.safetensors
    Optimizer& optimizer;            ///< its arrays: optimizer.safetensors
    ParameterStore* live = nullptr;  ///< where `model` is a moving average: what the optimiser moves, kept beside its arrays
};

/// The three files, in the order in which they are written.
inline constexpr const char* checkpoint_files[] = {"model.safetensors", "optimizer.safetensors", "state.json"};
/// Whether it is the mean of several checkpoints (attend average), by its state.json, whose own
/// CRC-32 must be right.
bool is_average(const std::filesystem::path& folder);
/// Whether a run can continue from it: all three files are there and as they were written. Throws
/// MachineError where the machine cannot read them.
bool is_complete_checkpoint(const std::filesystem::path& folder);

/// Writes the three files into `folder`, which is made where it is missing. Throws Diverged, with
/// nothing written, when a parameter, a named state or an optimiser's value is not finite;
/// MachineError when writing fails.
void save_checkpoint(const std::filesystem::path& folder, const Checkpointed& trained, const Progressed& progressed);

/// Reads `folder` into a model's store and, for the second, into all that training continues from.
/// Throws Error when a file is missing, broken or not the one that was written, and when the
/// tensors are not those of this model: all of the missing, unknown and misshaped are counted and
/// named.
Progressed load_model(const std::filesystem::path& folder, ParameterStore& store);
/// Throws Error as load_model() does when the model's file in `folder` is broken or not the one
/// that was written.
void check_model_file(const std::filesystem::path& folder);
Progressed load_checkpoint(const std::filesystem::path& folder, const Checkpointed& trained);
/// Of state.json alone. Throws Error when it is missing or broken.
Progressed read_progressed(const std::filesystem::path& folder);

/// Writes into `to`, which must not be there yet, a checkpoint whose parameters are the mean of
/// those in `from`, in this order (Vaswani et al. 2017, 6.1). It can be evaluated and used, not
/// gone on with: its state is the last one's, without an optimiser. Throws Error as load_model()
/// and average_files() do, and when vocabularies differ.
void average_checkpoints(std::span<const std::filesystem::path> from, const std::filesystem::path& to);

}  // namespace attend::ATTEND_PRECISION
