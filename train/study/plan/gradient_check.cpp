#include "train/study/plan/gradient_check.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/base/parallel.h"
#include "core/engine.h"
#include "train/config/clock.h"
#include "train/evaluate/resolve.h"
#include "train/exchange/pretrained.h"
#include "train/experiment/assemble.h"
#include "train/experiment/objective.h"
#include "train/study/rows.h"

namespace attend::ATTEND_PRECISION {

using namespace plan;

namespace {

using Verdict = CheckedParameter::Verdict;

constexpr double relative_step = 1e-5;

// The model once for each thread: a difference moves a value of the store.
struct CheckBench {
    ModelInStore made;
    StateUpdates updates;

    CheckBench(const Experiment& experiment, const Task& task) : made(make_model(experiment, task)), updates(*made.store) {
        take_weights(experiment.init, *made.model, *made.store);
    }
};

struct Job {
    std::size_t parameter;
    int64_t element;
    double engine;
    double floor;
    double difference = 0, error = 0;
};

class Check {
  public:
    Check(const Experiment& experiment, const GradientCheckSetup& setup) : experiment_(experiment), setup_(setup) {
        task_ = make_task(experiment, "");
        experiment_ = resolve_for(experiment_, *task_);
        objective_ = objective_table().build(experiment_.objective);
        batch_ = rows_to_check();
        report_.rows = batch_.rows();
        counts_ = loss_counts(batch_);
        report_.targets = counts_.all();
        report_.tolerance = setup.tolerance;
        require(report_.targets > 0, "check: the rows have no targets: rows {}, targets {}", report_.rows, report_.targets);
        for (int i = 0; i < setup.threads; ++i) benches_.push_back(std::make_unique<CheckBench>(experiment_, *task_));
        const Model& model = *benches_.front()->made.model;
        require(
            model.estimator() == nullptr || !model.estimator()->draws(),
            "check: hard attention by drawn choices has an estimate of a gradient, which differences cannot check: estimator "
            "'{}'{}; attend lab measures its bias",
            model.hard()->estimator.name(),
            independent(model.sites()) && model.sites().size() == 1 ? ", one without draws 'exact'" : "");
    }

    GradientReport go() {
        engine_gradients();
        Workers workers(setup_.threads);
        workers.run(setup_.threads, [&](int thread) {
            for (std::size_t j = static_cast<std::size_t>(thread); j < jobs_.size();
                 j += static_cast<std::size_t>(setup_.threads))
                compare(*benches_[static_cast<std::size_t>(thread)], jobs_[j]);
        });
        judge();
        return std::move(report_);
    }

  private:
    uint64_t seed() const { return static_cast<uint64_t>(experiment_.seed); }

    Batch rows_to_check() const {
        if (setup_.columns > 0)
            return short_rows(*task_, training_order(experiment_), setup_.rows, setup_.columns);
        const Batch whole = task_->batches(Split::train, training_order(experiment_))->at(0);
        return whole.slice(0, std::min(setup_.rows, whole.rows()));
    }

    // As many jobs as there is time for, evenly over the parameters; a job takes two losses.
    void keep_to_time(double seconds_of_loss) {
        const double affordable = setup_.seconds * setup_.threads / (2 * seconds_of_loss);
        if (setup_.seconds == 0 || static_cast<double>(jobs_.size()) <= affordable)
            return;
        const auto kept = std::max<std::size_t>(1, static_cast<std::size_t>(affordable));
        std::vector<Job> fewer;
        for (std::size_t i = 0; i < kept; ++i) fewer.push_back(jobs_[i * jobs_.size() / kept]);
        jobs_ = std::move(fewer);
    }

    ShardLoss loss(CheckBench& bench) const {
        bench.updates.reset();
        const auto last = static_cast<uint32_t>(experiment_.train.steps);  // where what rises along a run has risen
        const Context context{.mode = Mode::train, .seed = seed(), .step = last, .updates = &bench.updates};
        return objective_->evaluate(*bench.made.model, batch_, counts_, context);
    }

    void engine_gradients() {
        CheckBench& bench = *benches_.front();
        Gradients gradients(*bench.made.store);
        const Clock::time_point begin = Clock::now();
        const ShardLoss l = loss(bench);
        const double seconds = seconds_since(begin);
        const auto value = static_cast<double>(l.loss.item());
        report_.loss = l.sums.mean(counts_);
        backward(l.loss, gradients);
        gradients.finish();
        // Sums over many terms lose some bits of L; divided by h they are what a difference cannot
        // tell from zero.
        const double rounding = 32 * static_cast<double>(std::numeric_limits<real>::epsilon()) *
                                std::max(1.0, std::abs(value)) / (relative_step * setup_.tolerance);
        for (const Parameter& p : bench.made.store->table()) {
            if (!p.trainable || p.shape.size() == 0)
                continue;
            const real* g = gradients.data() + p.offset;
            report_.parameters.push_back({.name = p.name, .shape = p.shape});
            parameters_.push_back(p.index);
            double largest = 0;
            for (int64_t i = 0; i < p.shape.size(); ++i) largest = std::max(largest, std::abs(static_cast<double>(g[i])));
            for (const int64_t i : choose(p, g))
                jobs_.push_back(
                    {parameters_.size() - 1, i, setup_.scale * static_cast<double>(g[i]), 1e-3 * largest + rounding});
        }
        keep_to_time(seconds);
    }

    std::vector<int64_t> choose(const Parameter& p, const real* g) const {
        const int64_t size = p.shape.size(), count = std::min(size, setup_.elements);
        std::vector<int64_t> chosen, with_gradient;
        if (count == size) {
            for (int64_t i = 0; i < size; ++i) chosen.push_back(i);
            return chosen;
        }
        int64_t largest = 0;
        for (int64_t i = 0; i < size; ++i) {
            if (std::abs(g[i]) > std::abs(g[largest]))
                largest = i;
            if (g[i] != 0)
                with_gradient.push_back(i);
        }
        chosen.push_back(largest);
        Stream stream(seed(), "check." + p.name);
        const auto below = [&](int64_t n) {
            return static_cast<int64_t>(stream.below(static_cast<uint32_t>(std::min<int64_t>(n, 0xffffffff))));
        };
        // An element may come up again; then the next draw takes its turn.
        for (int64_t turn = 0; static_cast<int64_t>(chosen.size()) < count && turn < 50 * count; ++turn) {
            const bool among_all = turn % 2 == 1 || with_gradient.empty();
            const int64_t i = among_all
                                  ? below(size)
                                  : with_gradient[static_cast<std::size_t>(below(static_cast<int64_t>(with_gradient.size())))];
            if (std::find(chosen.begin(), chosen.end(), i) == chosen.end())
                chosen.push_back(i);
        }
        return chosen;
    }

    double central_difference(CheckBench& bench, const Job& job, double factor) const {
        ParameterStore& store = *bench.made.store;
        real* values = store.values(store.table()[parameters_[job.parameter]]);
        const real x = values[job.element];
        const real up = x + static_cast<real>(factor * relative_step * std::max(1.0, std::abs(static_cast<double>(x))));
        const real down = x - (up - x);
        const NoGrad off;
        values[job.element] = up;
        const auto above = static_cast<double>(loss(bench).loss.item());
        values[job.element] = down;
        const auto below = static_cast<double>(loss(bench).loss.item());
        values[job.element] = x;
        return (above - below) / (static_cast<double>(up) - static_cast<double>(down));
    }

    void compare(CheckBench& bench, Job& job) const {
        job.error = std::numeric_limits<double>::infinity();
        for (const double factor : {1.0, 0.25, 4.0, 0.0625, 0.015625}) {
            const double d = central_difference(bench, job, factor);
            const double error = std::abs(job.engine - d) / (std::max(std::abs(job.engine), std::abs(d)) + job.floor);
            if (error < job.error || factor == 1.0) {  // NaN stays infinite
                job.difference = d;
                job.error = std::isnan(error) ? std::numeric_limits<double>::infinity() : error;
            }
            if (job.error <= setup_.tolerance)
                return;
        }
    }

    void judge() {
        std::vector<char> shown(report_.parameters.size());
        for (const Job& job : jobs_) {
            CheckedParameter& row = report_.parameters[job.parameter];
            if (job.error > row.error || row.checked == 0) {
                row.element = job.element;
                row.engine = job.engine;
                row.difference = job.difference;
                row.error = job.error;
            }
            ++row.checked;
            if (job.engine != 0 || job.error > setup_.tolerance)
                shown[job.parameter] = 1;
        }
        report_.passed = true;
        for (std::size_t i = 0; i < report_.parameters.size(); ++i) {
            CheckedParameter& row = report_.parameters[i];
            const bool agrees = row.error <= setup_.tolerance;
            row.verdict = !agrees ? Verdict::differs : shown[i] != 0 ? Verdict::agrees : Verdict::all_zero;
            report_.passed = report_.passed && agrees;
            if (row.error > report_.parameters[report_.worst].error)
                report_.worst = i;
        }
    }

    Experiment experiment_;
    GradientCheckSetup setup_;
    std::unique_ptr<Task> task_;
    std::unique_ptr<Objective> objective_;
    Batch batch_;
    std::vector<std::unique_ptr<CheckBench>> benches_;
    std::vector<std::size_t> parameters_;  // the index in the store of each row of the report
    std::vector<Job> jobs_;
    LossCounts counts_;
    GradientReport report_;
};

}  // namespace

GradientReport check_gradients(const Experiment& experiment, const GradientCheckSetup& setup) {
    require(setup.rows >= 1 && setup.elements >= 1, "check: rows and elements are at least 1: rows {}, elements {}", setup.rows,
            setup.elements);
    require(setup.threads >= 1 && setup.tolerance > 0, "check: out of range: threads {}, tolerance {}", setup.threads,
            setup.tolerance);
    return Check(experiment, setup).go();
}

}  // namespace attend::ATTEND_PRECISION
