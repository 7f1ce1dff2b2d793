#pragma once
/// The estimators that a lab compares.
#include <memory>
#include <vector>

#include "train/lab/lab.h"

namespace attend::inline ATTEND_PRECISION::lab {

/// The selections of Setup::estimators; without any, every row of estimator_table(), reinforce's default with every row of
/// baseline_table() in its place; each with Setup::samples where it has the option. Throws Error as the config's reader.
std::vector<Selection> candidates(const Setup& setup);

/// Name, options that are not the default, label.
Row described(const Selection& selection);

}  // namespace attend::inline ATTEND_PRECISION::lab
