#include "train/learn/training.h"

#include <chrono>
#include <cmath>
#include <optional>
#include <set>

#include "core/base/file_errors.h"
#include "core/base/interruption.h"
#include "core/base/own_files.h"
#include "optim/average.h"
#include "train/evaluate/decode/picture.h"
#include "train/records/maps.h"
#include "train/evaluate/evaluate.h"
#include "train/evaluate/resolve.h"
#include "train/exchange/pretrained.h"
#include "train/experiment/assemble.h"
#include "train/records/build_info.h"
#include "train/records/bundle.h"
#include "train/records/machine_words.h"
#include "train/records/metrics_log.h"
#include "train/records/older_checkpoints.h"
#include "train/learn/step.h"
#include "train/records/numbers.h"
#include "train/records/summary.h"

namespace attend {

namespace fs = std::filesystem;

namespace {

using Clock = std::chrono::steady_clock;
double seconds_since(Clock::time_point begin) { return std::chrono::duration<double>(Clock::now() - begin).count(); }

bool due(int64_t step, int64_t every) { return step > 0 && step % every == 0; }

class Run {
  public:
    explicit Run(const TrainRequest& request)
        : request_(request),
          log_(request.observer != nullptr ? *request.observer : nobody_),
          folder_(request.folder),
          lock_(lock_existing(request, folder_)),
          workers_(request.threads),
          experiment_(choose(request, folder_, task_)),
          data_(data_seal(experiment_)),
          made_(with_room_to_train(make_model(experiment_, *task_), experiment_.train)),
          objective_(objective_table().build(experiment_.objective)),
          optimizer_(optimizer_table().build(experiment_.optimizer, *made_.store)),
          schedule_(schedule_of(experiment_, optimizer_->learning_rate())),
          batches_(task_->batches(Split::train, training_order(experiment_))),
          step_({*made_.model, *made_.store, *objective_, *optimizer_, *schedule_, workers_}, step_settings(experiment_)) {
        require(task_->size(Split::valid) > 0 || schedule_->state().empty(),
                "schedule {}: it follows evaluations of a validation split, and the data have none: validation examples {}, "
                "least 1",
                experiment_.schedule.name(), task_->size(Split::valid));
        if (!going_on())
            begin_with_weights();
        if (options().average > 0) {
            averaged_ = make_model(experiment_, *task_);
            average_.emplace(AverageOptions{.decay = options().average, .warmup = options().average_warmup}, *made_.store,
                             *averaged_.store);
        }
        // One batch alone, where that is asked for, also when gradients of several would be added up.
        for (int64_t i = 0; i < (options().overfit_one_batch ? 1 : options().accumulate); ++i) taken_.emplace_back();
    }

    void check_folder() const { lock_.check_folder(); }
    TrainResult go() {
        prepare();
        try {
            const Status status = loop();
            TrainResult result{status, p_, {}};
            if (status == Status::finished)
                result.test = test();
            if (const auto explosion = exploded(p_); explosion && status == Status::finished)
                log_.warning("{}", text_of(*explosion));
            write_summary(status, result.test, "");
            log_.info("{} after {} steps and {:.1f} s; {}", status_name(status), p_.step, p_.seconds, folder_.root().string());
            return result;
        } catch (const Diverged& d) {
            log_.steps_end();
            if (dynamic_cast<const StepDiverged*>(&d) == nullptr)
                record_next_step();
            log_.error("diverged: {}", d.what());
            write_summary(Status::diverged, {}, d.what());
            if (!recorded_)
                throw;
            const std::string path = folder_.bundle().string();
            log_.error("bundle: {}; replay the step with: attend check {}", path, path);
            throw Diverged(fmt::format("{}; bundle: {}; replay the step with: attend check {}", d.what(), path, path),
                           d.found());
        }
    }

  private:
    // A run to go on with is locked before anything of it is read; a new one's folder is made and locked by prepare(), last of
    // all.
    static RunLock lock_existing(const TrainRequest& request, const RunFolder& folder) {
        folder.check(request.existing);
        return request.existing == Existing::resume ? folder.lock_to_resume() : RunLock();
    }

    // The task and the resolved experiment; the folder stays as it is. On resuming, shards and vocabulary are the run's.
    static Experiment choose(const TrainRequest& request, const RunFolder& folder, std::unique_ptr<Task>& task) {
        const bool resuming = request.existing == Existing::resume;
        if (!resuming)
            require_not_extended(request.experiment, request.experiment.name);
        task =
            make_task(request.experiment, resuming && folder.has_checkpoint() ? folder.vocabulary().string() : std::string());
        Experiment asked = request.experiment;
        if (resuming && asked.train.shards == 0)  // as many as it began with, which may be more than this machine's cores
            asked.train.shards = folder.experiment().train.shards;
        Experiment now = resolve_for(std::move(asked), *task);
        return resuming ? resumed(folder, request.experiment, std::move(now), request.extend) : now;
    }

    void begin_with_weights() {
        begun_with_ = take_weights(experiment_.init, *made_.model, *made_.store);
        p_.weights = weights_seal(experiment_.init);
    }

    uint64_t seed() const { return static_cast<uint64_t>(experiment_.seed); }
    const TrainOptions& options() const { return experiment_.train; }
    bool stopping() const { return request_.stop && request_.stop(); }
    // What is evaluated and saved as the model.
    const ModelInStore& judged() const { return average_ ? averaged_ : made_; }
    Checkpointed trained() { return {*judged().store, *optimizer_, average_ ? made_.store.get() : nullptr}; }
    bool going_on() const { return request_.existing == Existing::resume && folder_.has_checkpoint(); }
    bool evaluating() const { return task_->size(Split::valid) > 0 && !options().overfit_one_batch; }

    void prepare() {
        const bool resuming = request_.existing == Existing::resume;
        if (!resuming) {
            lock_ = folder_.lock();
            folder_.check(request_.existing);  // another run may have come and gone since
        }
        const bool checkpointed = going_on();
        const ExtendedOptions extended_before = checkpointed ? folder_.experiment().extended : ExtendedOptions();
        if (checkpointed) {
            p_ = load_last(folder_, trained());
            saved_step_ = p_.step;
            folder_.check_vocabulary(p_.vocabulary);
            require(p_.data == data_,
                    "{}: not the data that this run was trained on: files [{}], the checkpoint says [{}]; a new "
                    "run can begin with its weights (init.from)",
                    folder_.config().string(), data_, p_.data);
            restore_schedule(*schedule_, experiment_, p_, folder_.last().string());
            p_.schedule = schedule_->state();
            folder_.cut_back(p_.step, p_.valid ? p_.valid->step : 0);
            cut_back_maps(folder_.maps(), p_.step);
            folder_.remove_summary();  // it speaks of an end that is none any more
            folder_.cut_back_checkpoints(p_);
            if (!fs::exists(folder_.best()))
                p_.best.reset();
            folder_.write_config(experiment_);
        } else {
            folder_.prepare_new();
            folder_.write_config(experiment_);
            make_folder(folder_.vocabulary());
            task_->save(folder_.vocabulary().string());
            remove_empty_folder(folder_.vocabulary());
            make_folder(folder_.checkpoints());
            p_.vocabulary = folder_.vocabulary_seal();
            p_.data = data_;
        }
        log_.open_log(folder_.log(), checkpointed ? LogFile::append : LogFile::begin);
        metrics_.emplace(folder_, options().tensorboard ? Events::yes : Events::no,
                         checkpointed ? std::optional(p_.step) : std::nullopt);
        samples_.emplace(folder_.samples());
        synchronise_folder(folder_.root());
        if (resuming)
            log_.info("{} {} steps", checkpointed ? "resumed after" : "no checkpoint yet, so begun again after", p_.step);
        if (!p_.program.empty() && p_.program != program_name())
            log_.warning(
                "the checkpoint was written by attend {}, this is {}: steps from here on can have other bits than that one's",
                p_.program, program_name());
        if (experiment_.extended.at.size() > extended_before.at.size())
            log_.info("extended {}; schedule {} {}", extended_text(experiment_.extended), text_of(experiment_.schedule),
                      experiment_.extended.schedule_from == p_.step ? "begins here" : "goes on");
        log_.info("{}: task {}, model {} with {} parameters, {} steps of {} examples in {} shards on {} threads",
                  experiment_.name, experiment_.data.name(), experiment_.model.name(), made_.store->count(), options().steps,
                  options().batch, options().shards, request_.threads);
        for (const std::string& line : task_->describe()) log_.info("{}", line);
        if (!begun_with_.empty())
            log_.info("{}", begun_with_);
        if (!resuming)
            for (const std::string& line : other_settings(experiment_))
                log_.warning("init.from: that run was set to something else, which may mean other ids or another function: {}",
                             line);
        for (const std::string& line : machine_words(*made_.store)) log_.info("{}", line);
        if (const int64_t frozen = frozen_count(*made_.store); frozen > 0)
            log_.info("{} of {} parameters are frozen", frozen, made_.store->count());
        log_.steps_begin(p_.step, options().steps);
    }

    Status loop() {
        for (;;) {
            bool last = p_.step >= options().steps || out_of_patience() || out_of_time();
            bool stop = !last && stopping();
            const bool evaluated = p_.valid && p_.valid->step == p_.step;
            if (!stop && (last || due(p_.step, options().evaluate_every)) && !evaluated && evaluating())
                stop = !evaluate_valid(last ? Decode::yes : options().evaluate_decode ? Decode::yes : Decode::no);
            if (!last && !stop && out_of_patience()) {  // that evaluation was one too many: the run ends here, not a step later
                last = true;
                if (!options().evaluate_decode)
                    evaluate_valid(Decode::yes);
            }
            if (last && p_.line_counts.all() > 0)  // a run that ended early: what came since the last line
                write_train_line();
            if (last || stop || due(p_.step, options().checkpoint_every) || best_is_now())
                save();
            if (stop)
                return Status::stopped;
            if (last) {
                if (out_of_patience())
                    log_.info("{} evaluations without a better {}: the run ends", options().patience, options().best_metric);
                else if (p_.step < options().steps)
                    log_.info("train.max_seconds: {:.1f} s are over: the run ends", p_.seconds);
                log_.steps_end();
                draw_attention();
                return Status::finished;
            }
            train_step();
            if (request_.after_step)
                request_.after_step(p_.step);
        }
    }

    // The flight recorder costs a step nothing: weights and batches are still there when the step fails.
    StepReport run_step() {
        const std::span<const Batch> batches = next_batches();
        try {
            return step_.run(p_.step, batches);
        } catch (const StepDiverged& d) {
            record(batches, d);
            throw;
        }
    }

    void record(std::span<const Batch> batches, const StepDiverged& d) {
        try {
            lock_.check_folder();
            write_bundle(folder_.bundle(),
                         {.experiment = experiment_,
                          .vocabularies = vocabularies_of(*task_),
                          .steps_done = p_.step,
                          .batches = {batches.begin(), batches.end()},
                          .failure = failure_of(d)},
                         *made_.store);
            recorded_ = true;
        } catch (const std::exception& e) {  // the divergence is what the user has to hear of
            log_.error("the step could not be recorded: {}", message_of(e));
        }
    }

    // Weights that an update made infinite are found when a checkpoint is due; the step that meets them is the next.
    void record_next_step() {
        try {
            run_step();
        } catch (const StepDiverged&) {
        }
    }

    void train_step() {
        const Clock::time_point begin = Clock::now();
        const StepReport report = run_step();
        if (average_)
            average_->update(p_.step, workers_);
        const double seconds = seconds_since(begin);
        if (p_.step == 0)
            p_.first_loss = report.loss();
        ++p_.step;
        p_.seconds += seconds;
        p_.line_seconds += seconds;
        p_.line_sums += report.sums;
        p_.line_counts += report.counts;
        p_.targets += static_cast<double>(report.counts.all());
        const double loss = report.loss();
        p_.latest = {.learning_rate = report.learning_rate,
                     .gradient_norm = report.gradient_norm,
                     .loss_z = p_.loss.z_score(loss),
                     .gradient_norm_z = p_.gradient_norm.z_score(report.gradient_norm)};
        log_.step(p_.step, loss);
        if (due(p_.step, options().log_every) || p_.step == options().steps)
            write_train_line();
    }

    std::span<const Batch> next_batches() {
        const auto count = static_cast<int64_t>(taken_.size());
        const int64_t first = options().overfit_one_batch ? 0 : p_.step * count;
        for (int64_t i = 0; i < count; ++i) taken_[static_cast<std::size_t>(i)] = batches_->at(first + i);
        return taken_;
    }

    void write_train_line() {
        lock_.check_folder();
        const LatestStep& latest = p_.latest;
        Scores scores;
        scores.values = {{"loss", p_.line_sums.mean(p_.line_counts)},
                         {"lr", latest.learning_rate},
                         {"grad_norm", latest.gradient_norm},
                         {"loss_z", latest.loss_z},
                         {"grad_norm_z", latest.gradient_norm_z},
                         {"targets", p_.targets},
                         {"tokens_per_second", static_cast<double>(p_.line_counts.all()) / std::max(p_.line_seconds, 1e-9)}};
        metrics_->write(Split::train, p_.step, p_.seconds, scores);
        if (!log_.live())
            log_.info("step {}/{}  loss {} (z {:+.1f})  lr {:.3g}  grad_norm {:.3g} (z {:+.1f})  {:.0f} targets/s", p_.step,
                      options().steps, short_number(scores.values[0].second), latest.loss_z, latest.learning_rate,
                      latest.gradient_norm, latest.gradient_norm_z, scores.values.back().second);
        p_.train = ScoredStep{p_.step, std::move(scores)};
        p_.line_sums = {};
        p_.line_counts = {};
        p_.line_seconds = 0;
    }

    EvaluationSetup evaluation(Split split, Decode decode) const {
        return {.split = split,
                .batch = options().evaluate_batch,
                .decode = decode,
                .max_length = experiment_.decode.max_length,
                .search = experiment_.decode.search(),
                .samples = options().samples,
                .seed = seed()};
    }

    // A model that the last updates have ruined: the next step meets what is not finite and says where; nothing is saved.
    void require_finite(Split split, const Scores& scores) {
        const double loss = scores.find("loss").value_or(std::nan(""));
        if (std::isfinite(loss))
            return;
        if (split == Split::valid)
            run_step();
        throw Diverged(fmt::format("step {}: the loss of the {} split is not finite: loss {}", p_.step, split_name(split),
                                   std::isnan(loss) ? "nan" : "inf"));
    }

    void say_cut(const Evaluation& e) {
        if (e.cut > 0)
            log_.info("{} of {} outputs did not end before the limit and were cut (decode.max_length)", e.cut, e.decoded);
    }

    // Tells the schedule how the run does, less being better.
    void follow(const Scores& scores) {
        const double value = scores.find(options().best_metric).value_or(std::nan(""));
        schedule_->evaluated(better_of(options().best_metric) == Better::lower ? value : -value);
        p_.schedule = schedule_->state();
    }

    // False when it was told to stop half-way: then nothing is written, and a resumed run begins with it.
    bool evaluate_valid(Decode decode) {
        const Clock::time_point begin = Clock::now();
        std::optional<Evaluation> e =
            evaluate(*judged().model, *task_, evaluation(Split::valid, decode), workers_, [this] { return stopping(); });
        if (!e)
            return false;
        lock_.check_folder();
        p_.seconds += seconds_since(begin);
        p_.valid = ScoredStep{p_.step, std::move(e->scores)};
        metrics_->write(Split::valid, p_.step, p_.seconds, p_.valid->scores);
        require_finite(Split::valid, p_.valid->scores);
        follow(p_.valid->scores);
        log_.info("step {}  valid  {}", p_.step, scores_text(p_.valid->scores));
        say_cut(*e);
        std::string text = fmt::format("== step {}  {}\n", p_.step, scores_text(p_.valid->scores));
        for (const Sample& s : e->samples) text += s.text();
        samples_->append(text);
        keep_maps();
        // Of equally good ones the one with the lower loss is better, for the best checkpoint and for patience: a metric that
        // stays at 0 while the loss falls, or at 1, tells nothing.
        const Scores best = p_.best ? p_.best->scores : Scores();
        const int metric = compare_scores(p_.valid->scores, best, options().best_metric);
        const bool better = metric > 0 || (metric == 0 && compare_scores(p_.valid->scores, best, "loss") > 0);
        if (better)
            p_.best = p_.valid;
        p_.evaluations_since_best = better ? 0 : p_.evaluations_since_best + 1;
        return true;
    }

    bool out_of_patience() const { return options().patience > 0 && p_.evaluations_since_best >= options().patience; }
    bool out_of_time() const { return options().max_seconds > 0 && p_.seconds >= options().max_seconds; }
    bool best_is_now() const { return p_.best && p_.best->step == p_.step; }

    void save() {
        if (saved_step_ != p_.step) {
            lock_.check_folder();
            if (!evaluating())
                keep_maps();
            metrics_->synchronise();  // the checkpoint shall never know more than they
            samples_->synchronise();
            if (folder_.restore_config(experiment_))  // a run is nothing without
                log_.warning("config.json was removed or changed while the run trained: written again as the run has it");
            folder_.save(trained(), p_);
            saved_step_ = p_.step;
            folder_.link_last(p_.step);
        }
        if (best_is_now())
            folder_.link_best(p_.step);
        for (const NotRemoved& old : folder_.remove_unlinked_steps(options().keep))
            if (not_removed_.insert(old.folder).second)
                log_.warning("{}: an old checkpoint cannot be removed: {}; the run goes on without", old.folder.string(),
                             old.reason);
    }

    // Looking changes nothing of a run, so failing to keep what was seen does not end it.
    void keep_maps() {
        try {
            if (!maps_)
                maps_.emplace(*task_, evaluating() ? Split::valid : Split::train, options().maps, seed());
            maps_->keep(*judged().model, folder_.maps(), p_.step);
        } catch (const std::exception& e) {
            log_.warning("the attention maps of step {} are not kept: {}", p_.step, message_of(e));
        }
    }

    void draw_attention() {
        const Split split = task_->size(Split::valid) > 0 ? Split::valid : Split::train;
        const std::string picture = first_picture(*judged().model, *task_, split, experiment_.decode.max_length);
        if (!picture.empty())
            samples_->append(fmt::format("== step {}  attention of the first example\n{}\n", p_.step, picture));
    }

    // Tests the best checkpoint, which leaves its parameters in the store: training is over.
    Scores test() {
        if (task_->size(Split::test) == 0 || options().overfit_one_batch)
            return {};
        const int64_t best = p_.best ? p_.best->step : p_.step;
        if (best != p_.step)
            load_model(folder_.best(), *judged().store);
        const Clock::time_point begin = Clock::now();
        const std::optional<Evaluation> e = evaluate(*judged().model, *task_, evaluation(Split::test, Decode::yes), workers_);
        p_.seconds += seconds_since(begin);
        metrics_->write(Split::test, best, p_.seconds, e->scores);
        log_.info("test  of the {} checkpoint (step {})  {}", p_.best ? "best" : "last", best, scores_text(e->scores));
        say_cut(*e);
        require_finite(Split::test, e->scores);
        return e->scores;
    }

    void write_summary(Status status, const Scores& test_scores, const std::string& message) {
        lock_.check_folder();
        const RecordWriter summary = summary_of(experiment_, p_, made_.store->count(),
                                        {.status = status,
                                         .test = test_scores,
                                         .message = message,
                                         .bundle = recorded_ ? folder_.bundle().filename().string() : ""});
        folder_.write_summary(summary);
        log_.summarised(folder_.root());
    }

    const TrainRequest& request_;
    Observer nobody_;
    Observer& log_;
    RunFolder folder_;
    RunLock lock_;
    Workers workers_;
    std::unique_ptr<Task> task_;
    Experiment experiment_;
    std::string data_;  // seal of its files
    ModelInStore made_;
    std::unique_ptr<Objective> objective_;
    std::unique_ptr<Optimizer> optimizer_;
    std::unique_ptr<Schedule> schedule_;
    std::unique_ptr<Batches> batches_;
    TrainingStep step_;
    std::string begun_with_;  // what init.from gave, for the log
    ModelInStore averaged_;   // empty without averaging
    std::optional<Average> average_;
    std::vector<Batch> taken_;  // of one step
    Progressed p_;
    int64_t saved_step_ = -1;
    std::set<fs::path> not_removed_;  // old checkpoints that were spoken of
    bool recorded_ = false;           // the step that diverged, in the folder's bundle
    std::optional<MetricsLog> metrics_;
    std::optional<LineFile> samples_;
    std::optional<MapKeeper> maps_;
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
