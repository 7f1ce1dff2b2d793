#include "train/study/plan/estimate.h"

#include <algorithm>
#include <optional>

#include "optim/average.h"
#include "train/config/clock.h"
#include "train/learn/run_evaluation.h"
#include "train/study/plan/paced.h"

namespace attend::plan {

namespace {

constexpr int64_t most_counted = 5000;     // batches looked at for their sizes
constexpr int64_t least_measured = 5;      // steps that are timed,
constexpr int64_t most_measured = 200;     // at most,
constexpr double measuring_seconds = 1.5;  // and for about how long
constexpr int64_t warm_up_steps = 2;       // before them: first touches of memory, tables, the clock of the processor
constexpr double growth = 1.04;            // a run meets more shapes: its caches grow by 0 to 9 % over those of a plan
constexpr int64_t evaluated_groups = 4;    // places of a split that are evaluated, a batch a thread at each

// What a batch costs, for putting batches in an order: symbols, and pairs of symbols for attention.
struct Sized {
    int64_t number = 0, targets = 0;
    double cost = 0, symbols = 0;
};

Sized sized(const Batch& b, int64_t number) {
    const auto rows = static_cast<double>(b.rows()), s = static_cast<double>(b.source.columns),
               t = static_cast<double>(b.input.columns);
    return {number, loss_counts(b).all(), rows * (s + t) + rows * s * t / 16, rows * (s + t)};
}

class EstimatedRun {
  public:
    EstimatedRun(const Experiment& experiment, const Task& task, const ModelInStore& made, int threads)
        : experiment_(experiment),
          task_(task),
          made_(made),
          workers_(threads),
          objective_(objective_table().build(experiment.objective)),
          optimizer_(optimizer_table().build(experiment.optimizer, *made.store)),
          schedule_(schedule_table().build(experiment.schedule, optimizer_->learning_rate(), experiment.train.steps)),
          batches_(task.batches(Split::train, training_order(experiment))),
          step_({*made.model, *made.store, *objective_, *optimizer_, *schedule_, workers_}, step_settings(experiment)),
          paced_(*made.model) {
        estimate_.threads = threads;
        estimate_.steps = experiment.train.steps;
        estimate_.batches_per_step = experiment.train.overfit_one_batch ? 1 : experiment.train.accumulate;
        if (experiment.train.average > 0) {
            averaged_ = make_model(experiment, task);
            average_.emplace(AverageOptions{.decay = experiment.train.average, .warmup = experiment.train.average_warmup},
                             *made.store, *averaged_.store);
        }
    }

    Estimate go() {
        count_batches();
        measure_steps();
        evaluations();
        estimate_.seconds = estimate_.step_seconds * static_cast<double>(estimate_.steps);
        for (const EstimatedEvaluation& e : estimate_.evaluations)
            estimate_.seconds += e.seconds * static_cast<double>(e.times);
        checkpoints();
        return estimate_;
    }

  private:
    void count_batches() {
        estimate_.batches_per_epoch = batches_->per_epoch();
        estimate_.batches_counted = std::min(estimate_.batches_per_epoch, most_counted);
        int64_t targets = 0;
        for (int64_t i = 0; i < estimate_.batches_counted; ++i) {
            const int64_t number = i * estimate_.batches_per_epoch / estimate_.batches_counted;
            sizes_.push_back(sized(batches_->at(number), number));
            targets += sizes_.back().targets;
        }
        estimate_.targets_per_epoch =
            static_cast<int64_t>(static_cast<double>(targets) / static_cast<double>(estimate_.batches_counted) *
                                 static_cast<double>(estimate_.batches_per_epoch));
        std::ranges::sort(sizes_, {}, &Sized::cost);
    }

    double step(int64_t batch) {
        const Clock::time_point begin = Clock::now();
        std::vector<Batch> batches;
        for (int64_t i = 0; i < estimate_.batches_per_step; ++i)
            batches.push_back(batches_->at((batch + i) % batches_->per_epoch()));
        const int64_t number = std::min(steps_done_++, experiment_.train.steps - 1);
        step_.run(number, batches);
        if (average_)
            average_->update(number, workers_);
        return seconds_since(begin);
    }

    // The middles of `count` equal parts of the batches in the order of their cost: their mean is
    // near that of all.
    void measure_steps() {
        const auto at = [&](double share) {
            return sizes_[std::min(sizes_.size() - 1, static_cast<std::size_t>(share * static_cast<double>(sizes_.size())))];
        };
        for (int64_t i = 0; i < warm_up_steps - 1; ++i) step(at(0.5).number);
        const double guess = std::max(1e-6, step(at(0.5).number));
        const int64_t count = std::clamp(static_cast<int64_t>(measuring_seconds / guess), least_measured, most_measured);
        std::vector<int64_t> numbers;
        for (int64_t i = 0; i < count; ++i)
            numbers.push_back(at((static_cast<double>(i) + 0.5) / static_cast<double>(count)).number);
        std::sort(numbers.begin(), numbers.end());  // the order of the epoch, so that sizes alternate as in a run
        double sum = 0;
        for (const int64_t n : numbers) sum += step(n);
        estimate_.measured_steps = count;
        estimate_.step_seconds = sum / static_cast<double>(count);
        // The largest, for their memory: by cost, and by symbols.
        step(sizes_.back().number);
        step(std::ranges::max_element(sizes_, {}, &Sized::symbols)->number);
    }

    double evaluate_some(const EvaluationSetup& some) {
        const Clock::time_point begin = Clock::now();
        (void)evaluate(paced_, task_, some, workers_);
        return seconds_since(begin);
    }

    void measure_evaluation(Split split, Decode decode, int64_t times) {
        if (task_.size(split) == 0 || times == 0)
            return;
        EvaluationSetup some = evaluation_of(experiment_, split, decode);
        const std::unique_ptr<Batches> all = task_.batches(split, {.batch = some.batch, .seed = some.seed, .shuffled = false});
        const int64_t count = all->per_epoch(), group = std::min<int64_t>(workers_.threads(), count);
        std::vector<int64_t> largest;
        if (count > evaluated_groups * group) {
            for (int64_t i = 0; i < evaluated_groups; ++i)
                for (int64_t k = 0; k < group; ++k)
                    some.only.push_back((2 * i + 1) * count / (2 * evaluated_groups) - group / 2 + k);
            for (int64_t k = count - group; k < count; ++k) largest.push_back(k);
        } else {
            for (int64_t k = 0; k < count; ++k) some.only.push_back(k);
        }
        for (const std::vector<int64_t>& numbers : {some.only, largest})
            for (const int64_t k : numbers) paced_.learn(all->at(k));
        double seconds = evaluate_some(some);
        if (seconds < 0.3)  // the first pass also pays for first touches
            seconds = evaluate_some(some);
        seconds *= static_cast<double>(count) / static_cast<double>(some.only.size());
        if (!largest.empty()) {
            some.only = largest;
            evaluate_some(some);
        }
        estimate_.evaluations.push_back(
            {fmt::format("{}, {} decoding", split_name(split), decode == Decode::yes ? "with" : "without"), times, seconds,
             count});
    }

    void evaluations() {
        const TrainOptions& t = experiment_.train;
        if (t.overfit_one_batch)
            return;
        const int64_t between = (t.steps - 1) / t.evaluate_every;  // and one more at the end
        measure_evaluation(Split::valid, Decode::no, t.evaluate_decode ? 0 : between);
        measure_evaluation(Split::valid, Decode::yes, t.evaluate_decode ? between + 1 : 1);
        measure_evaluation(Split::test, Decode::yes, 1);
    }

    void checkpoints() {
        const TrainOptions& t = experiment_.train;
        estimate_.checkpoints = (t.steps - 1) / t.checkpoint_every + 1;
        constexpr double mib = 1 << 20;
        const double model = static_cast<double>(made_.store->count()) * sizeof(real) / mib;
        double state = 0;
        for (const OptimizerState& s : optimizer_->state(*made_.store))
            state += static_cast<double>(s.shape.size()) * sizeof(real) / mib;
        estimate_.checkpoint_mib = model + state + (average_ ? model : 0);
        // Before the test the best checkpoint is mapped into memory beside all that is there.
        estimate_.peak_memory_mib = growth * peak_memory_mib() + (task_.size(Split::test) > 0 ? model : 0);
    }

    const Experiment& experiment_;
    const Task& task_;
    const ModelInStore& made_;
    Workers workers_;
    std::unique_ptr<Objective> objective_;
    std::unique_ptr<Optimizer> optimizer_;
    std::unique_ptr<Schedule> schedule_;
    std::unique_ptr<Batches> batches_;
    TrainingStep step_;
    ModelInStore averaged_;
    std::optional<Average> average_;
    PacedModel paced_;
    std::vector<Sized> sizes_;  // by cost
    int64_t steps_done_ = 0;
    Estimate estimate_;
};

}  // namespace

Estimate estimate(const Experiment& experiment, const Task& task, const ModelInStore& made, int threads) {
    return EstimatedRun(experiment, task, made, threads).go();
}

}  // namespace attend::plan
