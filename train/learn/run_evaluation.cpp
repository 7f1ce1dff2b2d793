#include "train/learn/run_evaluation.h"

#include <cmath>

#include "core/base/file_errors.h"
#include "train/config/clock.h"
#include "train/evaluate/decode/picture.h"
#include "train/records/example_scores.h"
#include "train/records/numbers.h"

namespace attend {

EvaluationSetup evaluation_of(const Experiment& experiment, Split split, Decode decode) {
    return {.split = split,
            .batch = experiment.train.evaluate_batch,
            .decode = decode,
            .max_length = experiment.decode.max_length,
            .search = experiment.decode.search(),
            .samples = experiment.train.samples,
            .seed = static_cast<uint64_t>(experiment.seed),
            .keep = KeepScores::yes};
}

// A model that the last updates have ruined: the next step meets what is not finite and says where;
// nothing is saved.
void RunEvaluation::require_finite(Split split, const Scores& scores) {
    const double loss = scores.find("loss").value_or(std::nan(""));
    if (std::isfinite(loss))
        return;
    if (split == Split::valid)
        next_step_();
    throw Diverged(fmt::format("step {}: the loss of the {} split is not finite: loss {}", run_.at.step, split_name(split),
                               std::isnan(loss) ? "nan" : "inf"));
}

void RunEvaluation::report_cut(const Evaluation& e) {
    if (e.cut > 0)
        run_.log.info("{} of {} outputs did not end before the limit and were cut (decode.max_length)", e.cut, e.decoded);
}

void RunEvaluation::keep_scores(Split split, int64_t step, ExampleScores scores) {
    write_scores(run_.folder.scores(split), {split, step, std::move(scores)});
}

bool RunEvaluation::validate(Decode decode) {
    const Clock::time_point begin = Clock::now();
    std::optional<Evaluation> e =
        evaluate(*run_.judged().model, *run_.task, evaluation_of(run_.experiment, Split::valid, decode), run_.workers,
                 [this] { return run_.stopping(); });
    if (!e)
        return false;
    run_.lock.check_folder();
    run_.at.seconds += seconds_since(begin);
    run_.at.valid = ScoredStep{run_.at.step, std::move(e->scores)};
    run_.metrics->write(Split::valid, run_.at.step, run_.at.seconds, run_.at.valid->scores);
    require_finite(Split::valid, run_.at.valid->scores);
    keep_scores(Split::valid, run_.at.step, std::move(e->each));
    const std::string& judged_by = run_.options().best_metric;
    const double value = run_.at.valid->scores.find(judged_by).value_or(std::nan(""));
    run_.schedule->evaluated(better_of(judged_by) == Better::lower ? value : -value);  // to which less is better
    run_.at.schedule = run_.schedule->state();
    run_.log.info("step {}  valid  {}", run_.at.step, scores_text(run_.at.valid->scores));
    report_cut(*e);
    std::string text = fmt::format("== step {}  {}\n", run_.at.step, scores_text(run_.at.valid->scores));
    for (const Sample& s : e->samples) text += s.text();
    run_.samples->append(text);
    keep_maps();
    // Of equally good ones the one with the lower loss is better, for the best checkpoint and for
    // patience: a metric that stays at 0 while the loss falls, or at 1, tells nothing.
    const Scores best = run_.at.best ? run_.at.best->scores : Scores();
    const int metric = compare_scores(run_.at.valid->scores, best, judged_by);
    const bool better = metric > 0 || (metric == 0 && compare_scores(run_.at.valid->scores, best, "loss") > 0);
    if (better)
        run_.at.best = run_.at.valid;
    run_.at.evaluations_since_best = better ? 0 : run_.at.evaluations_since_best + 1;
    return true;
}

void RunEvaluation::keep_maps() {
    try {
        if (!maps_)
            maps_.emplace(*run_.task, run_.evaluating() ? Split::valid : Split::train, run_.options().maps, run_.seed());
        maps_->keep(*run_.judged().model, run_.folder.maps(), run_.at.step);
    } catch (const std::exception& e) {
        run_.log.warning("the attention maps of step {} are not kept: {}", run_.at.step, message_of(e));
    }
}

void RunEvaluation::draw_attention() {
    const Split split = run_.task->size(Split::valid) > 0 ? Split::valid : Split::train;
    const std::string picture = first_picture(*run_.judged().model, *run_.task, split, run_.experiment.decode.max_length);
    if (!picture.empty())
        run_.samples->append(fmt::format("== step {}  attention of the first example\n{}\n", run_.at.step, picture));
}

Scores RunEvaluation::test() {
    if (run_.task->size(Split::test) == 0 || run_.options().overfit_one_batch)
        return {};
    const int64_t best = run_.at.best ? run_.at.best->step : run_.at.step;
    if (best != run_.at.step)
        load_model(run_.folder.best(), *run_.judged().store);
    const Clock::time_point begin = Clock::now();
    std::optional<Evaluation> e =
        evaluate(*run_.judged().model, *run_.task, evaluation_of(run_.experiment, Split::test, Decode::yes), run_.workers);
    run_.lock.check_folder();
    run_.at.seconds += seconds_since(begin);
    run_.metrics->write(Split::test, best, run_.at.seconds, e->scores);
    run_.log.info("test  of the {} checkpoint (step {})  {}", run_.at.best ? "best" : "last", best, scores_text(e->scores));
    report_cut(*e);
    require_finite(Split::test, e->scores);
    keep_scores(Split::test, best, std::move(e->each));
    return e->scores;
}

}  // namespace attend
