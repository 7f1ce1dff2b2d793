#pragma once
/// What a run looks at between its steps and at its end: evaluations, samples, attention maps.
#include <functional>
#include <optional>

#include "train/evaluate/evaluate.h"
#include "train/learn/run_state.h"

namespace attend {

/// How a run of the experiment evaluates a split.
EvaluationSetup evaluation_of(const Experiment& experiment, Split split, Decode decode);

class RunEvaluation {
  public:
    /// `run` outlives this. `next_step` takes a training step: where updates have made the model
    /// infinite, it finds out where.
    RunEvaluation(RunState& run, std::function<void()> next_step) : run_(run), next_step_(std::move(next_step)) {}

    /// Evaluates the validation split, and updates schedule, best evaluation and patience. False
    /// when it was told to stop before the end: then nothing is written, and a resumed run begins
    /// with it. Throws Diverged for a loss that is not finite.
    bool validate(Decode decode);
    /// Tests the best checkpoint, which leaves its parameters in the store. Throws Diverged as
    /// validate().
    Scores test();
    /// Looking changes nothing of a run, so failing to keep what was seen does not end it.
    void keep_maps();
    /// The attention of the first example, into samples.txt.
    void draw_attention();

  private:
    void require_finite(Split split, const Scores& scores);
    void report_cut(const Evaluation& e);
    void keep_scores(Split split, int64_t step, ExampleScores scores);

    RunState& run_;
    std::function<void()> next_step_;
    std::optional<MapKeeper> maps_;
};

}  // namespace attend
