#pragma once
/// The estimators that a lab compares.
#include <vector>

#include "core/base/options.h"
#include "core/real.h"
#include "train/study/lab/lab.h"

namespace attend::ATTEND_PRECISION {

/// The selections of Setup::estimators; without any, every row of estimator_table(), reinforce's
/// default with every row of baseline_table() in its place; each with Setup::samples where it has
/// the option. Throws Error as the config's reader.
std::vector<Selection> candidates(const lab::Setup& setup);

/// Name, options that are not the default, label.
lab::Row described(const Selection& selection);

}  // namespace attend::ATTEND_PRECISION
