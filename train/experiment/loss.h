#pragma once
/// The terms of a loss. A batch has targets, or labels of its rows, or both; what is reported is the mean over all targets plus
/// the mean over all labels, each in nats, without a term that has nothing to count.
#include "data/task.h"
#include "nn/models/model.h"

namespace attend::ATTEND_PRECISION {

/// How many of each term: what its sum is divided by, known before a batch is cut.
struct LossCounts {
    int64_t targets = 0;  ///< that are not ignored
    int64_t labels = 0;   ///< rows that have one

    int64_t all() const { return targets + labels; }
    LossCounts& operator+=(const LossCounts& other);
};

/// Nats of each term, summed.
struct LossSums {
    double targets = 0, labels = 0;

    LossSums& operator+=(const LossSums& other);
    /// targets / their count + labels / theirs; 0 where there is neither.
    double mean(const LossCounts& counts) const;
    /// e to the mean over the targets, or over the labels where there are no targets.
    double perplexity(const LossCounts& counts) const;
};

LossCounts loss_counts(const Batch& batch);
LossSums loss_sums(const Scored& scored);

/// What of a batch a model scores. The batch must outlive it.
ScoreInput score_input(const Batch& batch);

}  // namespace attend::ATTEND_PRECISION
