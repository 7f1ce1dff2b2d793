#pragma once
/// One experiment: the root of a config. Every option of a run is listed here or in the rows of the
/// seams it selects.
#include <string>
#include <vector>

#include "core/base/options.h"
#include "train/config/document.h"
#include "train/experiment/beam_options.h"
#include "train/experiment/init.h"

namespace attend::ATTEND_PRECISION {

/// Most steps of a run: a step number is 32 bits of a random draw's counter.
constexpr int64_t most_steps = 4'000'000'000;
/// Most parts of a batch: each has a gradient arena.
constexpr int64_t most_shards = 1024;

/// The training run. 0 stands for the automatic word of an option.
struct TrainOptions {
    int64_t steps = 0;
    int64_t epochs = 0;
    int64_t batch = 32;
    int64_t shards = 0;
    int64_t batch_order = 0;
    int64_t accumulate = 1;
    double clip_norm = 0;
    double clip_value = 0;
    double average = 0;
    bool average_warmup = true;
    double max_seconds = 0;
    bool overfit_one_batch = false;
    int64_t log_every = 20;
    bool tensorboard = false;
    int64_t evaluate_every = 0;
    int64_t checkpoint_every = 0;
    int64_t evaluate_batch = 64;
    bool evaluate_decode = true;
    int64_t keep = 0;
    int64_t samples = 4;
    int64_t maps = 3;
    std::string best_metric;
    int64_t patience = 0;
    void fields(Visitor& v);
};

struct DecodeOptions {
    int64_t batch = 64;
    int64_t max_length = 0;
    int64_t max_source = 2000;
    int64_t beam = 1;
    double length_penalty = 0;
    void fields(Visitor& v);
    BeamOptions search(int64_t nbest = 1) const { return {.beam = beam, .length_penalty = length_penalty, .nbest = nbest}; }
};

/// How a run was extended beyond its original end (--extend). The program writes it into
/// config.json; empty for every other run.
struct ExtendedOptions {
    std::vector<double> at;      ///< steps done when it was extended, each time
    std::vector<double> before;  ///< train.steps until then
    std::vector<double> now;     ///< train.steps from then on
    int64_t schedule_from = 0;   ///< steps done when the schedule began: above 0 it was given with an extension
    std::string schedules;       ///< the earlier ones, each with its end; "" when there is one for the run
    void fields(Visitor& v);
    bool any() const { return !at.empty(); }
};

struct Experiment {
    /// With default rows; a config has to name its task and model.
    Experiment();

    int64_t format = 1;
    std::string name;
    int64_t seed = 1;
    Selection data, model, objective, optimizer, schedule;
    TrainOptions train;
    DecodeOptions decode;
    InitOptions init;
    ExtendedOptions extended;
    void fields(Visitor& v);
};

/// Reads a config file and applies the `--set` assignments in their order. A config without a name
/// is named after its file. A text under "$schema" is for editors and ignored. Throws Error as
/// config::load and config::read do, and for a config without data or model, or with a name that
/// cannot be a folder's.
Experiment read_experiment(const std::string& path, const std::vector<std::string>& assignments);
/// The same for a config that is loaded already; `path` is its name in messages.
Experiment experiment_of(config::Value document, const std::string& path);
/// The experiment as the tree of its config, with every option: experiment_of() makes the same
/// experiment from it.
config::Value tree_of(const Experiment& experiment, const std::string& path);

/// Whether a config is a comparison's: it has "variants" or "grid".
bool has_variants(const config::Value& document);
/// Removes "$schema" from a config: editors find the schema there. Throws Error when it is not a
/// text.
void drop_schema(config::Value& document);
/// Throws Error naming `path` unless `name` can be a folder's.
void require_folder_name(const std::string& name, const std::string& path);

/// Threads that the machine runs in parallel, at least 1.
int64_t machine_cores();

/// Peak memory of the process as the system counts it (getrusage: resident set, including shared
/// libraries).
double peak_memory_mib();

}  // namespace attend::ATTEND_PRECISION
