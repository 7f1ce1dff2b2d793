#pragma once
/// compare.html: the tables of a comparison, training curves with bands that hold whole mean curves,
/// the area under each run's curve, and the share of runs that reached a threshold.
#include <string>
#include <vector>

#include "train/study/compare/compare.h"

namespace attend::compare {

/// The mean of a metric over all runs of a variant, on the way.
struct MeanCurve {
    std::vector<int64_t> step;
    std::vector<double> targets, seconds;  ///< the mean over the runs that were measured there; NaN of none
    std::vector<double> mean;
    std::vector<double> low, high;  ///< simultaneous_band(); empty with fewer than three runs
    bool whole = true;              ///< false: it ends where a run is not known any more, before the other runs do
};

/// The mean curve with its band, of at most 400 steps. A run that diverged or failed counts with
/// worst_of_metric() from there on; of what is no metric the curve ends there. `variants`: all, for
/// a common worst value.
MeanCurve mean_curve(const std::vector<VariantRecord>& variants, std::size_t variant, Split split, const std::string& metric,
                     double confidence);

/// The page.
std::string comparison_page(const std::string& name, const Compared& compared);
/// Writes the page as compare.html into the comparison's folder, atomically. Throws as
/// write_file_atomically().
void write_page(const std::filesystem::path& folder, const std::string& name, const Compared& compared);

}  // namespace attend::compare
