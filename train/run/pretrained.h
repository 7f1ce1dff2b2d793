#pragma once
/// Fine-tuning: a run that begins with the weights of another, and parameters that stay as they are.
#include <string>
#include <vector>

#include "core/options.h"
#include "core/parameters.h"
#include "nn/models/model.h"

namespace attend::inline ATTEND_PRECISION {

struct Experiment;

/// Names are matched as file names are: '*' any characters, '?' one, [ab] one of these; several patterns with commas between.
struct InitOptions {
    std::string from;
    std::string take = "*";
    std::string freeze;
    std::string vocabulary = "taken";
    void fields(Visitor& v);
};

/// Whether `name` matches one of the patterns.
bool matches_any(const std::string& patterns, const std::string& name);

/// Where the vocabularies come from that the weights' ids mean: the folder that the run in `from` saved them to, or a published
/// folder that holds its tokenizer; "" when they are built from the data. Throws Error when there is no such run.
std::string taken_vocabulary(const InitOptions& options);

/// Fills the parameters and named state that `take` matches from `from`: a run's folder (its best checkpoint), a checkpoint's
/// folder, a safetensors file, or a folder in the layout that `model` was published in (train/run/published.h). Throws Error
/// when it cannot be read, when a pattern matches no parameter, and when what matches is missing in the file, unknown to the
/// model, or of another shape. Gives a line for the log; "" without `from`.
std::string take_weights(const InitOptions& options, const Model& model, ParameterStore& store);

/// Name, size and CRC-32 of the file that take_weights() reads now, "" without `from`: what `from` names can be another one
/// later. Throws Error when it cannot be read.
std::string weights_seal(const InitOptions& options);

/// What the run in `init.from` was set to and this experiment is not, of what shapes do not show and ids or functions depend
/// on: a line each, "model.heads: there 2, here 4"; none where `from` is no run's folder. Throws Error when its config is
/// broken.
std::vector<std::string> other_settings(const Experiment& now);

/// Elements of the parameters that are frozen.
int64_t frozen_count(const ParameterStore& store);

/// Excludes the parameters that `freeze` matches from training. Throws Error when a pattern matches none.
void freeze_parameters(const InitOptions& options, ParameterStore& store);

}  // namespace attend::inline ATTEND_PRECISION
