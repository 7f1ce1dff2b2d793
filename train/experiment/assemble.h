#pragma once
/// A model together with the store that its parameters live in.
#include <filesystem>
#include <memory>

#include "data/task.h"
#include "nn/models/model.h"
#include "train/experiment/experiment.h"
#include "train/experiment/step_values.h"

namespace attend::ATTEND_PRECISION {

/// Whether the data of a task is loaded, or only its vocabularies.
enum class Data { vocabularies, splits };

struct ModelInStore {
    std::unique_ptr<ParameterStore> store;
    std::unique_ptr<Model> model;  // its handles point into the store, so it is destroyed first
};

/// Names, sizes and CRC-32 of files in one line: "source.txt 120 0a1b2c3d, ...".
std::string seal_of(const std::vector<std::filesystem::path>& files);
/// The seal of the files of an experiment's data ("" when there are none): part of every
/// checkpoint, as a run must not continue with other data. Throws Error when one cannot be read.
std::string data_seal(const Experiment& experiment);

/// The order of an experiment's training batches, and the settings of its steps.
BatchOrder training_order(const Experiment& experiment);
StepSettings step_settings(const Experiment& experiment);

/// Throws Error when the longest example of a split is longer than the model has positions for;
/// names the example and its place.
void require_positions(const Task& task, const Model& model, Split split);

/// The experiment's model for the task's vocabularies, with its initial parameters, those of
/// init.freeze frozen. Throws Error as the model's constructor, and with a task as
/// require_positions() for all splits, so that no run fails at its test.
ModelInStore make_model(const Experiment& experiment, const Task& task);
ModelInStore make_model(const Experiment& experiment, const ModelSetup& vocabularies);

/// How an experiment's task is set up: `saved` as for make_task(). Running text is cut into windows
/// as long as the model's option `context`, where it has one. The ids of texts larger than an
/// eighth of the memory are kept in files of the user's cache folder ($XDG_CACHE_HOME/attend or
/// ~/.cache/attend).
TaskSetup task_setup(const Experiment& experiment, const std::string& saved, Data data);

/// What a model needs to know about a task.
ModelSetup vocabularies_of(const Task& task);

/// Throws Error when the arrays of training (weights, a gradient for each shard, the optimiser's
/// state) do not fit into the machine's memory: otherwise the system would kill the run later.
ModelInStore with_room_to_train(ModelInStore made, const TrainOptions& options);

}  // namespace attend::ATTEND_PRECISION
