#include "train/experiment/experiment.h"

#include <sys/resource.h>

#include <algorithm>
#include <filesystem>
#include <thread>

#include "data/task.h"
#include "nn/models/model.h"
#include "optim/average.h"
#include "optim/optimizer.h"
#include "train/config/overrides.h"
#include "train/config/reader.h"
#include "train/config/writer.h"
#include "train/experiment/objective.h"

namespace attend::ATTEND_PRECISION {

namespace {
constexpr int64_t most_rows = 1'000'000;

Selection first_row(const Seam& seam) { return {seam, seam.names().front()}; }

}  // namespace

void TrainOptions::fields(Visitor& v) {
    v.integer("steps", steps, {1, most_steps, "auto"}, "updates of the parameters; auto: as many as `epochs` needs");
    v.integer("epochs", epochs, {1, most_steps, "auto"}, "passes over the training data, instead of `steps`");
    v.integer("batch", batch, {1, most_rows}, "examples in a training batch");
    v.integer(
        "shards", shards, {1, most_shards, "auto"},
        "parts of a batch, which are computed in parallel. Results depend on the number of shards. They do not depend on the "
        "number of threads. auto: the smaller of cores and batch");
    v.integer("batch_order", batch_order, {0, most_steps},
              "which order the training batches come in: each number gives another one, with the same data, initial weights "
              "and dropout. For a comparison of a run with itself (compare --aa)");
    v.integer("accumulate", accumulate, {1, 65536},
              "batches whose gradients are added up for one update, as if they were one; a step is one update");
    v.number("clip_norm", clip_norm, {0, 1e9}, "largest norm of the gradient; 0: no limit");
    v.number("clip_value", clip_value, {0, 1e9},
             "largest absolute value of an element of the gradient, applied before clip_norm; 0: no limit");
    v.number("average", average, {0, most_decay},
             "exponential moving average (EMA) of the parameters: its decay per step, for example 0.999. The average is then "
             "evaluated and saved as the model, in place of the parameters. 0: none");
    v.flag("average_warmup", average_warmup, "a smaller decay at first: at step s (from 0) at most (1 + s) / (10 + s)");
    v.number(
        "max_seconds", max_seconds, {0, 1e9},
        "the run ends after so many seconds of training and evaluation, with its last evaluation and test. The number of steps "
        "then depends on the machine. 0: no limit");
    v.flag("overfit_one_batch", overfit_one_batch,
           "train only on the first batch, without evaluations: the loss of a model that can learn goes to 0");
    v.integer("log_every", log_every, {1, most_steps}, "steps between two training lines of metrics.jsonl");
    v.flag("tensorboard", tensorboard, "write the metrics also into event files for TensorBoard");
    v.integer("evaluate_every", evaluate_every, {1, most_steps, "auto"},
              "steps between two evaluations; auto: a tenth of the run, or an epoch if `epochs` is given");
    v.integer("checkpoint_every", checkpoint_every, {1, most_steps, "auto"},
              "steps between two checkpoints; auto: one at each evaluation");
    v.integer("evaluate_batch", evaluate_batch, {1, most_rows}, "examples in a batch of an evaluation");
    v.flag("evaluate_decode", evaluate_decode,
           "whether evaluations during training decode: metrics of decoded text need it. The evaluation at the end always "
           "decodes");
    v.integer("keep", keep, {0, 1'000'000},
              "newest checkpoints to keep, besides the last and the best one; 'attend average' takes their mean");
    v.integer("samples", samples, {0, 1000}, "examples that an evaluation writes into samples.txt");
    v.integer("maps", maps, {0, 100},
              "examples whose attention maps an evaluation keeps for the report; long examples are cut or skipped; 0: none");
    v.text("best_metric", best_metric,
           "metric of the validation split that selects the best checkpoint; empty: exact_match, else bleu, else loss");
    v.integer(
        "patience", patience, {1, most_steps, "off"},
        "early stopping: the run ends after so many evaluations without an improvement of best_metric (or, if it is equal, of "
        "the loss); off: no early stopping");
}

void DecodeOptions::fields(Visitor& v) {
    v.integer("batch", batch, {1, most_rows}, "lines that 'attend translate' decodes in one batch");
    v.integer("max_length", max_length, {1, most_rows, "auto"},
              "largest number of symbols to decode; auto: the task's own limit");
    v.integer(
        "max_source", max_source, {1, most_rows},
        "largest number of source symbols of a line that 'attend translate' reads; the rest of the line is left out, and the "
        "number of such lines is reported");
    v.integer("beam", beam, {1, most_beam}, "width of the beam search: outputs that are followed at the same time; 1: greedy");
    v.number("length_penalty", length_penalty, {0, 10},
             "outputs are ranked by log-likelihood / ((5 + length) / 6)^length_penalty (Wu et al. 2016, eq. 14); a larger "
             "value favours longer outputs");
}

void ExtendedOptions::fields(Visitor& v) {
    constexpr Bounds<double> steps{0, static_cast<double>(most_steps)};
    v.numbers("at", at, steps, false, "steps done at each extension of the run");
    v.numbers("before", before, steps, false, "train.steps before each extension");
    v.numbers("now", now, steps, false, "train.steps after each extension");
    v.integer("schedule_from", schedule_from, {0, most_steps},
              "steps done when the schedule began, which counts its steps from there; above 0: it was given with an extension");
    v.text("schedules", schedules, "the earlier schedules, each with the number of steps done at its end");
}

Experiment::Experiment()
    : data(first_row(task_table())),
      model(first_row(model_table())),
      objective(objective_table(), "likelihood"),
      optimizer(optimizer_table(), "adam"),
      schedule(schedule_table(), "constant") {}

void Experiment::fields(Visitor& v) {
    v.integer("format", format, {1, 1}, "version of this layout");
    v.text("name", name, "name of the run and of its folder; empty: the config file's name");
    v.integer("seed", seed, {0, std::numeric_limits<int64_t>::max()}, "seed of all random draws");
    v.selection("data", data, "the task and its data");
    v.selection("model", model, "the model");
    v.selection("objective", objective, "what training minimises");
    v.selection("optimizer", optimizer, "how the optimiser updates the parameters from their gradients");
    v.selection("schedule", schedule, "the learning rate in the course of training");
    v.object("train", train, "length of training, batches, evaluations and checkpoints");
    v.object("decode", decode, "how outputs are decoded");
    v.object("init", init, "initial values of the parameters");
    v.object(
        "extended", extended,
        "written by 'attend train --resume --extend': how the run was extended beyond its original end; a new run has none");
}

void drop_schema(config::Value& document) {
    const config::Member* schema = document.find("$schema");
    if (schema == nullptr)
        return;
    require(schema->value.kind == config::Value::Kind::text, "{}: $schema: wrong type: expected a text, got {}",
            schema->value.place.text(), config::described(schema->value));
    document.members.erase(document.members.begin() + (schema - document.members.data()));
}

bool has_variants(const config::Value& document) {
    return document.find("variants") != nullptr || document.find("grid") != nullptr;
}

void require_folder_name(const std::string& name, const std::string& path) {
    require(name != "." && name != ".." && name.size() <= 200 && name.find('/') == std::string::npos,
            "{}: name: must be a folder's name without '/': name '{}', longest 200 bytes", path, name);
}

Experiment read_experiment(const std::string& path, const std::vector<std::string>& assignments) {
    config::Value document = config::load(path);
    require(!has_variants(document),
            "{}: a comparison is not an experiment: it has 'variants' or 'grid'; 'attend compare' runs it, 'attend plan' "
            "estimates its cost",
            document.place.text());
    for (const std::string& a : assignments) document = config::set(std::move(document), a);
    return experiment_of(std::move(document), path);
}

Experiment experiment_of(config::Value document, const std::string& path) {
    drop_schema(document);
    Experiment experiment = config::read<Experiment>(document);
    for (const char* key : {"data", "model"})
        require(document.find(key) != nullptr, "{}: {}: missing: a config needs data and model", document.place.text(), key);
    if (experiment.name.empty())
        experiment.name = std::filesystem::path(path).stem().string();
    require_folder_name(experiment.name, path);
    return experiment;
}

config::Value tree_of(const Experiment& experiment, const std::string& path) {
    return config::parse_object(config::write(experiment), config::file_source(path));
}

double peak_memory_mib() {
    struct rusage usage = {};
    getrusage(RUSAGE_SELF, &usage);
    return static_cast<double>(usage.ru_maxrss) / 1024;
}

int64_t machine_cores() { return std::max(1u, std::thread::hardware_concurrency()); }

}  // namespace attend::ATTEND_PRECISION
