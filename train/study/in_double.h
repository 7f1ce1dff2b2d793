#pragma once
/// The border between the precisions. The program trains and decodes in float; what compares
/// gradients or looks for the cause of a divergence runs in double, in sources that are compiled
/// for both. An experiment crosses the border as the tree of its config, which the other side reads
/// again; results that come back are the same types for both.
#include <filesystem>
#include <string>
#include <vector>

#include "train/config/document.h"
#include "train/learn/replayed.h"
#include "train/study/lab/lab.h"
#include "train/study/plan/gradient_report.h"

namespace attend {

namespace f32 {
/// Takes a bundle's step again. Throws Error as BundleFile and replay() do.
Replayed replay_bundle(const std::filesystem::path& bundle, int threads);
}  // namespace f32

namespace f64 {
Replayed replay_bundle(const std::filesystem::path& bundle, int threads);

/// Checks the gradients of the experiment in `config`, named `path`
/// (train/study/plan/gradient_check.h).
plan::GradientReport check_gradients(const config::Value& config, const std::string& path,
                                     const plan::GradientCheckSetup& setup);

/// What estimators make of it at each place (train/study/lab/measure.h).
lab::Report measure_estimators(const config::Value& config, const std::string& path, const std::string& saved,
                               const std::vector<lab::Place>& places, const lab::Setup& setup);
}  // namespace f64

}  // namespace attend
