#pragma once
/// The terms of a loss. A batch has targets, or labels of its rows, or both; what is reported is
/// the mean over all targets plus the mean over all labels, both in nats; a term without targets or
/// labels is 0.
#include "data/task.h"
#include "nn/models/model.h"

namespace attend::ATTEND_PRECISION {

/// A number for each term.
template <class Number>
struct Terms {
    Number targets = 0, labels = 0;

    Terms& operator+=(const Terms& other) {
        targets += other.targets;
        labels += other.labels;
        return *this;
    }
};

/// The numbers that the sums are divided by, known before a batch is split into shards: targets
/// that are not ignored, and rows that have a label.
struct LossCounts : Terms<int64_t> {
    int64_t all() const { return targets + labels; }
};

/// Nats of each term, summed.
struct LossSums : Terms<double> {
    /// targets / counts.targets + labels / counts.labels; a term whose count is 0 is 0.
    double mean(const LossCounts& counts) const;
    /// e to the mean over the targets, or over the labels where there are no targets.
    double perplexity(const LossCounts& counts) const;
};

LossCounts loss_counts(const Batch& batch);
LossSums loss_sums(const Scored& scored);

/// The part of a batch that a model scores. The batch must outlive it.
ScoreInput score_input(const Batch& batch);

}  // namespace attend::ATTEND_PRECISION
