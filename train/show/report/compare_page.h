#pragma once
/// compare.html: the tables of a comparison, and training curves with bands over seeds.
#include <string>
#include <vector>

#include "train/study/compare/compare.h"

namespace attend::compare {

/// The mean of a metric over the seeds of one variant at a step, with an interval when at least two
/// runs have a value there.
struct Band {
    int64_t step = 0;
    Moments targets, seconds, value;  ///< over the runs
};

/// The bands of a metric on a split, of the runs that finished, or of all runs when none finished.
/// Steps in rising order.
std::vector<Band> bands_of(const VariantRecord& variant, Split split, const std::string& metric, double confidence);

/// The page.
std::string comparison_page(const std::string& name, const Compared& compared);
/// Writes the page as compare.html into the comparison's folder, atomically. Throws as
/// write_file_atomically().
void write_page(const std::filesystem::path& folder, const std::string& name, const Compared& compared);

}  // namespace attend::compare
