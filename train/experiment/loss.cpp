#include "train/experiment/loss.h"

#include <cmath>

#include "core/kernels/reduce.h"

namespace attend::ATTEND_PRECISION {

namespace {
double mean_of(double sum, int64_t count) { return count == 0 ? 0 : sum / static_cast<double>(count); }
}  // namespace

double LossSums::mean(const LossCounts& n) const { return mean_of(targets, n.targets) + mean_of(labels, n.labels); }

double LossSums::perplexity(const LossCounts& n) const {
    return std::exp(n.targets > 0 ? mean_of(targets, n.targets) : mean_of(labels, n.labels));
}

LossCounts loss_counts(const Batch& batch) { return {batch.targets(), static_cast<int64_t>(batch.labels.size())}; }

LossSums loss_sums(const Scored& scored) {
    LossSums sums;
    sums.targets = kernels::sum_double(scored.target_loss.data(), scored.target_loss.size());
    if (scored.label_loss.defined())
        sums.labels = kernels::sum_double(scored.label_loss.data(), scored.label_loss.size());
    return sums;
}

ScoreInput score_input(const Batch& b) { return {b.source, b.input, b.target, b.segments, b.labels}; }

}  // namespace attend::ATTEND_PRECISION
