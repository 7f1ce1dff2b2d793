#pragma once
/// The result of a run: summary.json, and lines of the log.
#include <optional>
#include <string>

#include "train/records/run_folder.h"

namespace attend {

/// A loss that has grown far without becoming infinite: the run is finished, and what it learnt is
/// lost.
struct Explosion {
    Split split = Split::train;  ///< of `last`
    double first = 0;            ///< loss of the first step
    double last = 0;             ///< of the last training line, or of the last evaluation
};
/// Whether the loss of a run ended far above the loss that it began with: the last training line's
/// above 2 first + 1, or the last evaluation's above 10 first + 1 (a model that has learnt its
/// training data by heart can be at several times). An untrained model's loss is about that of a
/// uniform prediction, ln V for V symbols, so it is at most its square for training, in perplexity.
/// None where the first loss is not known (the checkpoint of an older program).
std::optional<Explosion> exploded(const Progressed& progressed);
/// "the loss of the train split ended at 5113, far above 1.6094, where it began: ..."
std::string text_of(const Explosion& explosion);

/// How a run ended, besides where it stands.
struct RunEnd {
    Status status = Status::finished;
    Scores test;          ///< of the best checkpoint; empty without a test
    std::string message;  ///< of what ended it; "" for none
    std::string bundle;   ///< file name of the step that diverged; "" for none
};

/// summary.json of a run with so many parameters.
RecordWriter summary_of(const Experiment& experiment, const Progressed& progressed, int64_t parameters, const RunEnd& end);

}  // namespace attend
