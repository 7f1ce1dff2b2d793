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

namespace f64 {
#if defined(ATTEND_WITHOUT_F64)
// A build of float alone (for measuring, for the thread sanitizer) has no sources of double. Its
// commands link all the same, and refuse what they cannot do.
[[noreturn]] inline void refuse_double() {
    throw MachineError("this build computes in float alone; ./dev build makes one that also computes in double");
}
inline Replayed replay_bundle(const std::filesystem::path&, int) { refuse_double(); }
inline plan::GradientReport check_gradients(const config::Value&, const std::string&, const plan::GradientCheckSetup&) {
    refuse_double();
}
inline lab::Report measure_estimators(const config::Value&, const std::string&, const std::string&,
                                      const std::vector<lab::Place>&, const lab::Setup&) {
    refuse_double();
}
#else
/// Takes a bundle's step again in double. Throws Error as BundleFile and replay() do.
Replayed replay_bundle(const std::filesystem::path& bundle, int threads);

/// Checks the gradients of the experiment in `config`, named `path`
/// (train/study/plan/gradient_check.h).
plan::GradientReport check_gradients(const config::Value& config, const std::string& path,
                                     const plan::GradientCheckSetup& setup);

/// What estimators make of it at each place (train/study/lab/measure.h).
lab::Report measure_estimators(const config::Value& config, const std::string& path, const std::string& saved,
                               const std::vector<lab::Place>& places, const lab::Setup& setup);
#endif
}  // namespace f64

}  // namespace attend
