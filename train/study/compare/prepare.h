#pragma once
/// What a comparison will run: its experiments, each built once, and how they will be compared.
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "train/records/record_writer.h"
#include "train/study/compare/comparison.h"
#include "train/study/compare/table.h"

namespace attend::compare {

/// One run of a comparison before it is run.
struct Planned {
    std::size_t variant = 0, seed = 0;  ///< numbers in the comparison
    std::filesystem::path folder;
    Experiment experiment;  ///< as asked for, with its seed and name
};

/// A comparison whose experiments have all been built once.
struct Prepared {
    std::vector<Experiment> resolved;  ///< of each variant, with the first seed
    std::vector<int64_t> parameters;   ///< of each variant
    Settings settings;
    std::vector<Planned> runs;  ///< as planned_runs() gives them
    /// What of a variant makes its batches others than the reference's (data, train.batch, ...); ""
    /// where none does.
    std::vector<std::string> other_batches;
};

/// The runs in their order: all variants of the first seed, then of the second, ... Builds nothing.
std::vector<Planned> planned_runs(const Comparison& comparison, const std::filesystem::path& folder);

/// Builds task and model of every variant as a run does, and chooses the metric and the split.
/// Throws Error naming config and variant where one cannot be begun, a metric that some variant
/// does not measure, a split that one has not.
Prepared prepare(const Comparison& comparison, const std::string& folder);

/// What comparison.json keeps of it, under this key: metric and split, and of each variant its
/// experiment, its parameters and its other batches.
inline constexpr const char* prepared_key = "prepared";
RecordWriter prepared_json(const Comparison& comparison, const Prepared& prepared);
/// The same again, from the comparison.json in `root`: reads no data and builds nothing. None where
/// nothing was kept: by older programs, and where tasks alone have run. Throws Error for a broken file.
std::optional<Prepared> kept_preparation(const Comparison& comparison, const std::filesystem::path& root);

}  // namespace attend::compare
