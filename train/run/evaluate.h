#pragma once
/// Evaluation of a split: teacher-forced loss and metrics, decoding for metrics of the text, attention for metrics of
/// the alignment. Its batches have a fixed size, so the numbers depend neither on the threads nor on the training batch; it
/// changes nothing that training uses.
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/parallel.h"
#include "data/task.h"
#include "nn/models/model.h"
#include "train/decode/beam.h"
#include "train/metrics/metric.h"

namespace attend::inline ATTEND_PRECISION {

/// Whether an evaluation lets the model speak for itself.
enum class Decode { no, yes };

/// Names and values in the order of printing.
struct Scores {
    std::vector<std::pair<std::string, double>> values;
    /// The value of that name, or none.
    std::optional<double> find(const std::string& name) const;
};

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
};

struct EvaluationSetup {
    Split split = Split::valid;
    int64_t batch = 64;
    Decode decode = Decode::yes;
    int64_t max_length = 0;   ///< most symbols to decode; 0: the task's own limit
    BeamOptions search = {};  ///< how outputs are searched
    int64_t samples = 0;
    uint64_t seed = 1;
    /// Called for every example in the order of counting, by the calling thread: for tables and intervals (train/metrics).
    std::function<void(const EvaluatedExample&)> each_example = {};
    std::vector<int64_t> only = {};  ///< numbers of the batches to look at; none: all
};

/// Runs batches at the same time and adds up their results in order. Returns none when `stop` said so between batches (it is
/// asked by the calling thread). Throws Error when the split has no examples.
std::optional<Evaluation> evaluate(const Model& model, const Task& task, const EvaluationSetup& setup, Workers& workers,
                                   const std::function<bool()>& stop = {});

/// Names of what an evaluation computes: "loss" and those of `metrics` that can be had without decoding, or all. Throws Error
/// for an unknown name.
std::vector<std::string> computed_metrics(const std::vector<std::string>& metrics, Decode decode);

/// Which of two values of that metric is the better one.
Better better_of(const std::string& metric);
/// 1: `now` is better than `best` by that metric; 0: equal; -1: worse. A value that is not a number is never better.
int compare_scores(const Scores& now, const Scores& best, const std::string& metric);

/// The limits for decoding every row of `source`: `max_length`, or the task's own where that is 0, and never more than the
/// model has positions for.
std::vector<int64_t> decode_limits(const Model& model, const Task& task, const Ids& source, int64_t max_length);

}  // namespace attend::inline ATTEND_PRECISION
