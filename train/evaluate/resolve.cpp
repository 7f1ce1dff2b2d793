#include "train/evaluate/resolve.h"

#include <fmt/format.h>

#include <algorithm>

#include "train/evaluate/scores.h"
#include "train/experiment/assemble.h"

namespace attend::ATTEND_PRECISION {

Experiment resolve(Experiment e, const Surroundings& around) {
    TrainOptions& t = e.train;
    require(t.steps == 0 || t.epochs == 0, "train: steps and epochs exclude each other: steps {}, epochs {}", t.steps,
            t.epochs);
    require(t.steps > 0 || t.epochs > 0, "train: one of steps and epochs must be given: steps {}, epochs {}", t.steps,
            t.epochs);
    if (t.epochs > 0) {
        require(around.batches_per_epoch > 0 && t.epochs <= most_steps / around.batches_per_epoch,
                "train.epochs: too many steps: epochs {}, batches in one {}", t.epochs, around.batches_per_epoch);
        // Steps of `accumulate` batches each: the last one may go into the next epoch.
        t.steps = (t.epochs * around.batches_per_epoch + t.accumulate - 1) / t.accumulate;
        if (t.evaluate_every == 0)
            t.evaluate_every = std::max<int64_t>(1, around.batches_per_epoch / t.accumulate);
        t.epochs = 0;
    }
    if (t.evaluate_every == 0)
        t.evaluate_every = std::max<int64_t>(1, t.steps / 10);
    if (t.checkpoint_every == 0)
        t.checkpoint_every = t.evaluate_every;
    if (t.shards == 0)
        t.shards = std::min({std::max<int64_t>(1, around.cores), t.batch, most_shards});
    require(t.shards <= t.batch, "train.shards: a batch cannot be cut finer than its rows: shards {}, batch {}", t.shards,
            t.batch);

    require(around.validated > 0 || t.patience == 0,
            "train.patience: it follows evaluations of a validation split, and the data have none: patience {}, validation "
            "examples {}",
            t.patience, around.validated);
    if (around.validated == 0)
        return e;
    const std::vector<std::string> computed = computed_metrics(around.metrics, t.evaluate_decode ? Decode::yes : Decode::no);
    const auto is_computed = [&](const std::string& name) { return std::ranges::count(computed, name) > 0; };
    if (t.best_metric.empty())
        t.best_metric = is_computed("exact_match") ? "exact_match" : is_computed("bleu") ? "bleu" : "loss";
    require(is_computed(t.best_metric), "train.best_metric: not a metric of these evaluations: best_metric '{}', known {}",
            t.best_metric, fmt::join(computed, ", "));
    return e;
}

Experiment resolve_for(Experiment experiment, const Task& task) {
    require(task.size(Split::train) > 0, "data: task {}: there are no training examples: examples {}, least 1",
            experiment.data.name(), task.size(Split::train));
    const Surroundings around{.batches_per_epoch = task.batches(Split::train, training_order(experiment))->per_epoch(),
                              .cores = machine_cores(),
                              .metrics = task.metrics(),
                              .validated = task.size(Split::valid)};
    return resolve(std::move(experiment), around);
}

}  // namespace attend::ATTEND_PRECISION
