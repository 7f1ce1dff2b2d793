#include "train/learn/training.h"

#include <set>

#include "core/base/file_errors.h"
#include "core/base/interruption.h"
#include "train/config/clock.h"
#include "train/learn/run_evaluation.h"
#include "train/learn/run_state.h"
#include "train/records/bundle.h"
#include "train/records/numbers.h"
#include "train/records/summary.h"

namespace attend {

namespace fs = std::filesystem;

namespace {

bool due(int64_t step, int64_t every) { return step > 0 && step % every == 0; }

// What metrics.jsonl has of hard choices, of the step of the line.
void add_choices(Scores& scores, const ObservedChoices& choices) {
    const auto add = [&](const char* name, const std::optional<double>& value) {
        if (value)
            scores.values.emplace_back(name, *value);
    };
    add("choice_entropy", choices.entropy);
    add("expected_loss", choices.expected);
    add("marginal_loss", choices.marginal);
    add("advantage_variance", choices.advantage_variance);
    add("choice_gradient_share", choices.gradient_share);
}

class Run {
  public:
    explicit Run(const TrainRequest& request) : run_(request), evaluation_(run_, [this] { run_step(); }) {
        // One batch alone, where that is asked for, also when gradients of several would be added
        // up.
        taken_.resize(static_cast<std::size_t>(run_.options().overfit_one_batch ? 1 : run_.options().accumulate));
    }

    void check_folder() const { run_.lock.check_folder(); }
    TrainResult go() {
        run_.begin();
        try {
            const Status status = loop();
            TrainResult result{status, run_.at, {}};
            if (status == Status::finished)
                result.test = evaluation_.test();
            if (const auto explosion = exploded(run_.at); explosion && status == Status::finished)
                run_.log.warning("{}", text_of(*explosion));
            write_summary(status, result.test, "");
            run_.log.info("{} after {} steps and {:.1f} s; {}", status_name(status), run_.at.step, run_.at.seconds,
                          run_.folder.root().string());
            return result;
        } catch (const Diverged& d) {
            run_.log.steps_end();
            if (dynamic_cast<const StepDiverged*>(&d) == nullptr)
                record_next_step();
            run_.log.error("diverged: {}", d.what());
            write_summary(Status::diverged, {}, d.what());
            if (!recorded_)
                throw;
            const std::string path = run_.folder.bundle().string();
            run_.log.error("bundle: {}; replay the step with: attend check {}", path, path);
            throw Diverged(fmt::format("{}; bundle: {}; replay the step with: attend check {}", d.what(), path, path),
                           d.found());
        }
    }

  private:
    Status loop() {
        for (;;) {
            bool last = run_.at.step >= run_.options().steps || out_of_patience() || out_of_time();
            bool stop = !last && run_.stopping();
            const bool evaluated = run_.at.valid && run_.at.valid->step == run_.at.step;
            if (!stop && (last || due(run_.at.step, run_.options().evaluate_every)) && !evaluated && run_.evaluating())
                stop = !evaluation_.validate(last ? Decode::yes : run_.options().evaluate_decode ? Decode::yes : Decode::no);
            if (!last && !stop && out_of_patience()) {  // that evaluation was one too many: the run ends here, not a step later
                last = true;
                if (!run_.options().evaluate_decode)
                    evaluation_.validate(Decode::yes);
            }
            if (last && run_.at.line_counts.all() > 0)  // a run that ended early: what came since the last line
                write_train_line();
            if (last || stop || due(run_.at.step, run_.options().checkpoint_every) || best_is_now())
                save();
            if (stop)
                return Status::stopped;
            if (last) {
                if (out_of_patience())
                    run_.log.info("{} evaluations without a better {}: the run ends", run_.options().patience,
                                  run_.options().best_metric);
                else if (run_.at.step < run_.options().steps)
                    run_.log.info("train.max_seconds: {:.1f} s are over: the run ends", run_.at.seconds);
                run_.log.steps_end();
                evaluation_.draw_attention();
                return Status::finished;
            }
            train_step();
            if (run_.request.after_step)
                run_.request.after_step(run_.at.step);
        }
    }

    // The flight recorder costs a step nothing: weights and batches are still there when the step
    // fails.
    StepReport run_step() {
        const std::span<const Batch> batches = next_batches();
        try {
            return run_.training_step.run(run_.at.step, batches, line_after(run_.at.step + 1) ? Observe::yes : Observe::no);
        } catch (const StepDiverged& d) {
            record(batches, d);
            throw;
        }
    }

    bool line_after(int64_t steps) const { return due(steps, run_.options().log_every) || steps == run_.options().steps; }

    void record(std::span<const Batch> batches, const StepDiverged& d) {
        try {
            run_.lock.check_folder();
            write_bundle(run_.folder.bundle(),
                         {.experiment = run_.experiment,
                          .vocabularies = vocabularies_of(*run_.task),
                          .steps_done = run_.at.step,
                          .batches = {batches.begin(), batches.end()},
                          .failure = failure_of(d)},
                         *run_.made.store);
            recorded_ = true;
        } catch (const std::exception& e) {  // the divergence is what the user has to hear of
            run_.log.error("the step could not be recorded: {}", message_of(e));
        }
    }

    // Weights that an update made infinite are found when a checkpoint is due; the step that meets
    // them is the next.
    void record_next_step() {
        try {
            run_step();
        } catch (const StepDiverged&) {
        }
    }

    void train_step() {
        const Clock::time_point begin = Clock::now();
        const StepReport report = run_step();
        if (run_.average)
            run_.average->update(run_.at.step, run_.workers);
        const double seconds = seconds_since(begin);
        if (run_.at.step == 0)
            run_.at.first_loss = report.loss();
        ++run_.at.step;
        run_.at.seconds += seconds;
        run_.at.line_seconds += seconds;
        run_.at.line_sums += report.sums;
        run_.at.line_counts += report.counts;
        run_.at.targets += static_cast<double>(report.counts.all());
        const double loss = report.loss();
        run_.at.latest = {.learning_rate = report.learning_rate,
                          .gradient_norm = report.gradient_norm,
                          .loss_z = run_.at.loss.z_score(loss),
                          .gradient_norm_z = run_.at.gradient_norm.z_score(report.gradient_norm)};
        run_.log.step(run_.at.step, loss);
        if (line_after(run_.at.step))
            write_train_line(report.choices);
    }

    std::span<const Batch> next_batches() {
        const auto count = static_cast<int64_t>(taken_.size());
        const int64_t first = run_.options().overfit_one_batch ? 0 : run_.at.step * count;
        for (int64_t i = 0; i < count; ++i) taken_[static_cast<std::size_t>(i)] = run_.batches->at(first + i);
        return taken_;
    }

    void write_train_line(const std::optional<ObservedChoices>& choices = {}) {
        run_.lock.check_folder();
        const LatestStep& latest = run_.at.latest;
        Scores scores;
        scores.values = {
            {"loss", run_.at.line_sums.mean(run_.at.line_counts)},
            {"lr", latest.learning_rate},
            {"grad_norm", latest.gradient_norm},
            {"loss_z", latest.loss_z},
            {"grad_norm_z", latest.gradient_norm_z},
            {"targets", run_.at.targets},
            {"tokens_per_second", static_cast<double>(run_.at.line_counts.all()) / std::max(run_.at.line_seconds, 1e-9)}};
        if (choices)
            add_choices(scores, *choices);
        run_.metrics->write(Split::train, run_.at.step, run_.at.seconds, scores);
        if (!run_.log.live())
            run_.log.info("step {}/{}  loss {} (z {:+.1f})  lr {:.3g}  grad_norm {:.3g} (z {:+.1f})  {:.0f} targets/s",
                          run_.at.step, run_.options().steps, short_number(scores.values[0].second), latest.loss_z,
                          latest.learning_rate, latest.gradient_norm, latest.gradient_norm_z,
                          *scores.find("tokens_per_second"));
        run_.at.train = ScoredStep{run_.at.step, std::move(scores)};
        run_.at.line_sums = {};
        run_.at.line_counts = {};
        run_.at.line_seconds = 0;
    }

    bool out_of_patience() const {
        return run_.options().patience > 0 && run_.at.evaluations_since_best >= run_.options().patience;
    }
    bool out_of_time() const { return run_.options().max_seconds > 0 && run_.at.seconds >= run_.options().max_seconds; }
    bool best_is_now() const { return run_.at.best && run_.at.best->step == run_.at.step; }

    void save() {
        if (run_.saved_step != run_.at.step) {
            run_.lock.check_folder();
            if (!run_.evaluating())
                evaluation_.keep_maps();
            run_.metrics->synchronise();  // the checkpoint shall never know more than they
            run_.samples->synchronise();
            if (run_.folder.restore_config(run_.experiment))  // a run is nothing without
                run_.log.warning("config.json was removed or changed while the run trained: written again as the run has it");
            run_.folder.save(run_.trained(), run_.at);
            run_.saved_step = run_.at.step;
            run_.folder.link_last(run_.at.step);
        }
        if (best_is_now())
            run_.folder.link_best(run_.at.step);
        for (const NotRemoved& old : run_.folder.remove_unlinked_steps(run_.options().keep))
            if (not_removed_.insert(old.folder).second)
                run_.log.warning("{}: an old checkpoint cannot be removed: {}; the run continues without", old.folder.string(),
                                 old.reason);
    }

    void write_summary(Status status, const Scores& test_scores, const std::string& message) {
        run_.lock.check_folder();
        const RecordWriter summary = summary_of(run_.experiment, run_.at, run_.made.store->count(),
                                                {.status = status,
                                                 .test = test_scores,
                                                 .message = message,
                                                 .bundle = recorded_ ? run_.folder.bundle().filename().string() : ""});
        run_.folder.write_summary(summary);
        run_.log.summarised(run_.folder.root());
    }

    RunState run_;
    RunEvaluation evaluation_;
    std::vector<Batch> taken_;        // of one step
    std::set<fs::path> not_removed_;  // old checkpoints that were spoken of
    bool recorded_ = false;           // the step that diverged, in the folder's bundle
};

}  // namespace

TrainResult train(const TrainRequest& request) {
    std::optional<Run> run;  // made of data and weights, which may take long
    const auto asked = [&] { return request.stop && request.stop(); };
    // Asked once more at the end: so far the folder is as it was.
    if (interruptibly(asked, [&] { run.emplace(request); }) == Ended::interrupted || asked())
        return {Status::stopped, {}, {}, Begun::no};
    try {
        return run->go();
    } catch (const std::exception&) {
        run->check_folder();  // where it has gone, that is what has to be said
        throw;
    }
}

}  // namespace attend
