#pragma once
/// Evaluation of a split: teacher-forced loss and metrics, decoding for metrics of the text,
/// attention for metrics of the alignment. Its batches have a fixed size, so the numbers depend
/// neither on the threads nor on the training batch; it changes nothing that training uses.
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/base/parallel.h"
#include "data/task.h"
#include "nn/models/model.h"
#include "train/evaluate/decode/beam.h"
#include "train/evaluate/example_scores.h"
#include "train/evaluate/metrics/metric.h"
#include "train/evaluate/scores.h"

namespace attend {

/// One decoded example.
struct Sample {
    std::string source, reference, decoded;
    /// As samples.txt shows it: three lines and an empty one, hidden characters escaped.
    std::string text() const;
    double log_likelihood = 0, score = 0;  ///< of the decoded text, as in Decoded
};

struct Evaluation {
    Scores scores;                ///< loss (nats: LossSums::mean), perplexity, then the task's metrics
    std::vector<Sample> samples;  ///< the first examples of the split
    int64_t decoded = 0;          ///< examples decoded for metrics of the text
    int64_t cut = 0;              ///< those of them that reached the limit before they ended
    ExampleScores each;           ///< where EvaluationSetup::keep asks for it
};

struct EvaluationSetup {
    Split split = Split::valid;
    int64_t batch = 64;
    Decode decode = Decode::yes;
    int64_t max_length = 0;   ///< most symbols to decode; 0: the task's own limit
    BeamOptions search = {};  ///< how outputs are searched
    int64_t samples = 0;
    uint64_t seed = 1;
    /// Called for every example in the order of counting, by the calling thread: for tables and
    /// intervals (train/metrics).
    std::function<void(const EvaluatedExample&)> each_example = {};
    std::vector<int64_t> only = {};  ///< numbers of the batches to look at; none: all
    KeepScores keep = KeepScores::no;
};

/// Runs batches at the same time and adds up their results in order. Returns none when `stop` said
/// so between batches (it is asked by the calling thread). Throws Error when the split has no
/// examples.
std::optional<Evaluation> evaluate(const Model& model, const Task& task, const EvaluationSetup& setup, Workers& workers,
                                   const std::function<bool()>& stop = {});

/// The limits for decoding every row of `source`: `max_length`, or the task's own where that is 0,
/// and never more than the model has positions for.
std::vector<int64_t> decode_limits(const Model& model, const Task& task, const Ids& source, int64_t max_length);

}  // namespace attend
