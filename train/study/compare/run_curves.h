#pragma once
/// From runs on disk to curves and times until a threshold.
#include <string>
#include <vector>

#include "train/study/compare/curves.h"
#include "train/study/compare/survival.h"
#include "train/study/compare/table.h"

namespace attend::compare {

/// What a curve is drawn over, and what time is counted in.
enum class Axis { steps, targets, seconds };
const char* axis_name(Axis axis);

/// The steps that a variant's runs were planned for: the most that one of them finished with. None
/// where none finished.
std::optional<int64_t> budget_of(const VariantRecord& variant);

/// The values of a metric in a run; points without a place on the axis are left out. A run that
/// finished keeps its last value; one that diverged or failed is `worst` from there on.
Curve run_curve(const RunRecord& run, Split split, const std::string& metric, Axis axis = Axis::steps);

/// Up to where all variants can be compared: the smallest place at which a run that did all its
/// steps had its last value. None where no run finished.
std::optional<double> common_horizon(const std::vector<VariantRecord>& variants, Split split, const std::string& metric,
                                     Axis axis = Axis::steps);

/// The area under the curve of each run of each variant, [variants, runs], between the common start
/// and the common horizon. Runs that broke off count as worst_of_metric().
std::vector<std::vector<std::optional<double>>> areas_of(const std::vector<VariantRecord>& variants, Split split,
                                                         const std::string& metric, Axis axis = Axis::steps);

/// The time until the threshold in each run of a variant. A run that finished with fewer steps than
/// planned (it stopped by itself) never reaches it, as one that diverged or failed.
std::vector<Waiting> waiting_of(const VariantRecord& variant, const Settings& settings, double threshold, Axis axis);

/// What a run that broke off counts as: the worst that the metric can be; for a metric without such
/// a limit the worst value of the runs that did not break off (of all runs where all did). None for
/// what is no metric (a learning rate): there is no better and worse.
std::optional<double> worst_of_metric(const std::vector<VariantRecord>& variants, Split split, const std::string& metric);

/// The curve of a run that broke off as it counts, with worst_of_metric(): no value of it is worse
/// than `worst`, so that it gets no better by breaking off, and one huge loss on its way out is not
/// all that a mean shows. Without `worst` nothing is known after it broke off. Other curves stay.
Curve as_counted(Curve curve, const std::string& metric, std::optional<double> worst);

}  // namespace attend::compare
