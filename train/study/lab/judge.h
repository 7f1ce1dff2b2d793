#pragma once
/// Estimates of one estimator on one batch, and their statistics.
#include <vector>

#include "train/study/lab/lab.h"

namespace attend::lab {

/// Vectors that are means of estimates, one a group; a reference without noise has one.
struct Groups {
    std::vector<std::vector<double>> means;
    /// [groups][draws of the group * blocks] of each estimate and block, draw by draw: the square of
    /// its length, and its inner product with a given vector (empty without one).
    std::vector<std::vector<double>> squares, products;
    int64_t each = 1;  ///< estimates in a group

    /// Over all groups.
    std::vector<double> mean() const;
};

/// Elements of the arena that are the model's own, by block: `of[i]` is the block of element i, -1
/// for one that does not count.
struct Blocks {
    std::vector<std::string> names;
    std::vector<int32_t> of;
};

/// Inner products of M vectors, of the elements of one block.
class Gram {
  public:
    explicit Gram(std::size_t vectors) : n_(vectors), products_(n_ * n_) {}
    std::size_t vectors() const { return n_; }
    double at(std::size_t i, std::size_t j) const { return products_[i * n_ + j]; }
    double& at(std::size_t i, std::size_t j) { return products_[i * n_ + j]; }
    Gram& operator+=(const Gram& other);

  private:
    std::size_t n_;
    std::vector<double> products_;
};
/// Of vectors of one length, for each block.
std::vector<Gram> grams_of(const std::vector<std::vector<double>>& vectors, const Blocks& blocks);

/// |mu|^2 of M independent vectors with mean mu, by their inner products; of one vector a point, else
/// M is at least 4. The value is free of what noise adds, so it can be below 0; the limits are not.
Interval squared_length(const Gram& d);

/// The jackknife's standard error (Efron and Stein 1981) of a statistic, from its values without
/// each group.
double jackknife_error(const std::vector<double>& without);

/// Fills `row` but for what it has of the clock: draws, `all`, `blocks`, log_variance_without. The
/// products of `groups` are with reference.mean(). A reference of several groups is paired with
/// them, so its own noise is in the intervals.
void judge(Row& row, const Groups& groups, const Groups& reference, const Blocks& blocks);

}  // namespace attend::lab
