#pragma once
/// Which of the estimators at one checkpoint costs least for its accuracy.
#include <vector>

#include "train/study/lab/lab.h"

namespace attend::lab {

/// (variance x seconds) of one row over that of another. All estimators have the same seeds for the
/// same draws, so their variances are compared pair by pair: groups of draws are left out of both
/// at once (the jackknife of the logarithm of the ratio); the times add the error of their medians.
/// The interval has the level 1 - alpha. None where one has no variance or another count of groups.
std::optional<Interval> cost_ratio(const Row& row, const Row& to, double alpha);

/// A row and its cost as a multiple of the least one's. The intervals hold together with 95 %
/// (Bonferroni).
struct Ranked {
    const Row* row = nullptr;
    Interval ratio;
    bool distinguishable() const { return ratio.low > 1 || ratio.high < 1; }
};
/// Rows with an aim that declare themselves unbiased, have nothing measured against it, and draw;
/// the one with the least variance x seconds first.
std::vector<Ranked> ranking(const Measured& m, Aim aim);

/// Which estimator to use, by the last checkpoint, in a few sentences. Only differences that the
/// draws can tell are spoken of.
std::string recommend(const Report& report);

}  // namespace attend::lab
