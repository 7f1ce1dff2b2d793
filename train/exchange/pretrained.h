#pragma once
/// Fine-tuning: a run that begins with the weights, and with the vocabularies, of another.
#include <string>
#include <vector>

#include "core/parameters.h"
#include "data/task.h"
#include "nn/models/model.h"
#include "train/experiment/experiment.h"

namespace attend::ATTEND_PRECISION {

/// Fills the parameters and named state that `take` matches from `from`: a run's folder (its best
/// checkpoint), a checkpoint's folder, a safetensors file, or a folder in the layout that `model`
/// was published in (train/exchange/published.h). Throws Error when it cannot be read, when a
/// pattern matches no parameter, and when what matches is missing in the file, unknown to the
/// model, or of another shape. Gives a line for the log; "" without `from`.
std::string take_weights(const InitOptions& options, const Model& model, ParameterStore& store);

/// Name, size and CRC-32 of the file that take_weights() reads now, "" without `from`: what `from`
/// names can be another one later. Throws Error when it cannot be read.
std::string weights_seal(const InitOptions& options);

/// What the run in `init.from` was set to and this experiment is not, of what shapes do not show
/// and ids or functions depend on: a line each, "model.heads: there 2, here 4"; none where `from`
/// is no run's folder. Throws Error when its config is broken.
std::vector<std::string> other_settings(const Experiment& now);

/// The experiment's task with its data: `saved` is the vocabularies' folder of the run to go on
/// with, "" for a new run, which takes those of the run it begins with (init.from) or builds its
/// own.
std::unique_ptr<Task> make_task(const Experiment& experiment, const std::string& saved);

}  // namespace attend::ATTEND_PRECISION
