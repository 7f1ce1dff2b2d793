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

// A build of one precision (for measuring, for tests under sanitizers) has no sources of the other.
// Its commands link all the same, and refuse what they cannot do.
#if defined(ATTEND_WITHOUT_F32) || defined(ATTEND_WITHOUT_F64)
[[noreturn]] inline void refuse_other_precision() {
    throw MachineError("this build computes in one precision, and another is needed; ./dev build makes one for both");
}
#endif

namespace f32 {
#if defined(ATTEND_WITHOUT_F32)
inline Replayed replay_bundle(const std::filesystem::path&, int) { refuse_other_precision(); }
#else
/// Takes a bundle's step again. Throws Error as BundleFile and replay() do.
Replayed replay_bundle(const std::filesystem::path& bundle, int threads);
#endif
}  // namespace f32

namespace f64 {
#if defined(ATTEND_WITHOUT_F64)
inline Replayed replay_bundle(const std::filesystem::path&, int) { refuse_other_precision(); }
inline plan::GradientReport check_gradients(const config::Value&, const std::string&, const plan::GradientCheckSetup&) {
    refuse_other_precision();
}
inline lab::Report measure_estimators(const config::Value&, const std::string&, const std::string&,
                                      const std::vector<lab::Place>&, const lab::Setup&) {
    refuse_other_precision();
}
#else
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
