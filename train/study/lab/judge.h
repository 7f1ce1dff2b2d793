#pragma once
/// Estimates of one estimator on one batch, and their statistics.
#include <vector>

#include "train/study/lab/lab.h"

namespace attend::lab {

/// Vectors that are means of estimates, one a group; a reference without noise has one.
struct Groups {
    std::vector<std::vector<double>> means;
    std::vector<std::vector<double>> squares;  ///< [groups][blocks] sums over the group's estimates of their squares
    std::vector<double> cosines;               ///< [groups] sums over estimates, with a given vector; empty without one
    int64_t each = 1;                          ///< estimates in a group

    /// Over all groups.
    std::vector<double> mean() const;
};

/// Elements of the arena that are the model's own, by block: `of[i]` is the block of element i, -1
/// for one that does not count.
struct Blocks {
    std::vector<std::string> names;
    std::vector<int32_t> of;
};
/// Bias, variance and cosine of `groups` against the reference, filled into `row`. With d_m the
/// difference of group means m of M, |bias|^2 is sum_{m != n} d_m d_n / (M (M - 1)), whose mean is
/// free of what noise adds; its interval is the jackknife's (Efron and Stein 1981) with Student's
/// t. A reference of several groups is paired with them, so its own noise is in the interval.
void judge(Row& row, const Groups& groups, const Groups& reference, const Blocks& blocks);

}  // namespace attend::lab
