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
    v.integer("steps", steps, {1, most_steps, "auto"}, "updates of the parameters; auto: what epochs comes to");
    v.integer("epochs", epochs, {1, most_steps, "auto"}, "passes over the training data, in place of steps");
    v.integer("batch", batch, {1, most_rows}, "examples in a training batch");
    v.integer("shards", shards, {1, most_shards, "auto"},
              "parts a batch is cut into, which run at the same time; part of the experiment, as the number of threads is not; "
              "auto: the smaller of cores and batch");
    v.integer("accumulate", accumulate, {1, 65536},
              "batches whose gradients are added up for one update, as if they were one; a step is one update");
    v.number("clip_norm", clip_norm, {0, 1e9}, "largest norm of the gradient; 0: no limit");
    v.number("clip_value", clip_value, {0, 1e9},
             "largest size of an element of the gradient, clipped before the norm is; 0: no limit");
    v.number("average", average, {0, most_decay},
             "moving average of the parameters (EMA): the share of it kept at each step, as 0.999; what is evaluated, saved as "
             "the model and used afterwards is then the average; 0: none");
    v.flag("average_warmup", average_warmup,
           "keep less of the average at first: at step s (from 0) at most (1 + s) / (10 + s)");
    v.number("max_seconds", max_seconds, {0, 1e9},
             "the run ends, evaluated and tested as at its last step, once training and evaluation took so long; 0: no limit. "
             "The number of steps then depends on the machine");
    v.flag("overfit_one_batch", overfit_one_batch,
           "train on the first batch alone, again and again, without evaluations: a model that can learn drives its loss to 0");
    v.integer("log_every", log_every, {1, most_steps}, "steps between two training lines of metrics.jsonl");
    v.flag("tensorboard", tensorboard, "write what goes into metrics.jsonl into event files for TensorBoard, too");
    v.integer("evaluate_every", evaluate_every, {1, most_steps, "auto"},
              "steps between two evaluations; auto: a tenth of the run, an epoch where epochs is given");
    v.integer("checkpoint_every", checkpoint_every, {1, most_steps, "auto"},
              "steps between two checkpoints; auto: one at each evaluation");
    v.integer("evaluate_batch", evaluate_batch, {1, most_rows}, "examples in a batch of an evaluation");
    v.flag("evaluate_decode", evaluate_decode,
           "whether evaluations during training decode, which metrics of the text need; the one at the end always does");
    v.integer("keep", keep, {0, 1'000'000},
              "checkpoints to keep besides the last and the best one: the newest ones; 'attend average' takes their mean");
    v.integer("samples", samples, {0, 1000}, "examples that an evaluation writes into samples.txt");
    v.integer("maps", maps, {0, 100},
              "examples whose attention maps an evaluation keeps for the report; long ones are cut or passed over; 0: none");
    v.text("best_metric", best_metric,
           "metric of the validation split that chooses the best checkpoint; empty: exact_match, else bleu, else loss");
    v.integer(
        "patience", patience, {1, most_steps, "off"},
        "evaluations without a better best_metric (or, where it is equal, a lower loss) after which a run ends; off: none");
}

void DecodeOptions::fields(Visitor& v) {
    v.integer("batch", batch, {1, most_rows}, "lines that translate decodes at once");
    v.integer("max_length", max_length, {1, most_rows, "auto"}, "most symbols to decode; auto: the task's own limit");
    v.integer("max_source", max_source, {1, most_rows},
              "source symbols that translate reads of a line; what it leaves out is counted and said");
    v.integer("beam", beam, {1, most_beam}, "outputs followed at the same time; 1: greedy");
    v.number(
        "length_penalty", length_penalty, {0, 10},
        "outputs are ranked by log-likelihood / ((5 + length) / 6)^length_penalty (Wu et al. 2016, eq. 14); above 0 longer "
        "ones gain");
}

void ExtendedOptions::fields(Visitor& v) {
    constexpr Bounds<double> steps{0, static_cast<double>(most_steps)};
    v.numbers("at", at, steps, false, "steps done when the run was extended, each time");
    v.numbers("before", before, steps, false, "train.steps until then");
    v.numbers("now", now, steps, false, "train.steps from then on");
    v.integer("schedule_from", schedule_from, {0, most_steps},
              "steps done when the schedule began, which counts from there: above 0 it was given with an extension");
    v.text("schedules", schedules, "the schedules before it, each with the number of steps done at its end");
}

Experiment::Experiment()
    : data(first_row(task_table())),
      model(first_row(model_table())),
      objective(objective_table(), "likelihood"),
      optimizer(optimizer_table(), "adam"),
      schedule(schedule_table(), "constant") {}

void Experiment::fields(Visitor& v) {
    v.integer("format", format, {1, 1}, "version of this layout");
    v.text("name", name, "names the run and its folder; empty: the config file's name");
    v.integer("seed", seed, {0, std::numeric_limits<int64_t>::max()}, "seed of all that is random");
    v.selection("data", data, "what is learnt");
    v.selection("model", model, "what learns it");
    v.selection("objective", objective, "what training minimises");
    v.selection("optimizer", optimizer, "how parameters follow their gradients");
    v.selection("schedule", schedule, "learning rate over the steps");
    v.object("train", train, "how long, how much at once, how often looked at");
    v.object("decode", decode, "how outputs are searched");
    v.object("init", init, "what the parameters begin with");
    v.object(
        "extended", extended,
        "written by 'attend train --resume --extend': where the run went on beyond the end it was begun with; a new run has "
        "none");
}

void drop_schema(config::Value& document) {
    const config::Member* schema = document.find("$schema");
    if (schema == nullptr)
        return;
    require(schema->value.kind == config::Value::Kind::text, "{}: $schema: wrong type: expected a text, got {}",
            schema->value.place.text(), config::described(schema->value));
    document.members.erase(document.members.begin() + (schema - document.members.data()));
}

void require_folder_name(const std::string& name, const std::string& path) {
    require(name != "." && name != ".." && name.size() <= 200 && name.find('/') == std::string::npos,
            "{}: name: must be a folder's name without '/': name '{}', longest 200 bytes", path, name);
}

Experiment read_experiment(const std::string& path, const std::vector<std::string>& assignments) {
    config::Value document = config::load(path);
    require(document.find("variants") == nullptr,
            "{}: a comparison is no experiment: it has 'variants'; 'attend compare' runs it, 'attend plan' foretells it",
            document.place.text());
    for (const std::string& a : assignments) document = config::set(std::move(document), a);
    return experiment_of(std::move(document), path);
}

Experiment experiment_of(config::Value document, const std::string& path) {
    drop_schema(document);
    Experiment experiment = config::read<Experiment>(document);
    for (const char* key : {"data", "model"})
        require(document.find(key) != nullptr, "{}: {}: missing: keys found {}, keys needed data and model",
                document.place.text(), key, document.members.size());
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
