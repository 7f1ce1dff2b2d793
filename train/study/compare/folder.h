#pragma once
/// The folder of a comparison: compare.json, compare.html and log.txt; VARIANT/variant.json, the
/// variant's config; and VARIANT/seed-N, the folders of its runs. Other files may stand in it.
#include <filesystem>

#include "train/study/compare/comparison.h"

namespace attend::compare {

/// Beside each variant's runs. The first that a comparison writes, and so its folder's mark.
inline constexpr const char* variant_file = "variant.json";
/// The name of a run's folder.
std::string seed_name(int64_t seed);

/// Throws Error when the comparison cannot have the folder: it is a training run's, files of these
/// names are there and no comparison made them, or a link or a thing of another kind stands where a
/// folder or a file is needed. Changes nothing.
void check_folder(const std::filesystem::path& root, const Comparison& comparison);

}  // namespace attend::compare
