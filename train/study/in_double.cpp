#include "train/study/in_double.h"

#include "train/learn/replay.h"
#include "train/study/lab/measure.h"
#include "train/study/plan/gradient_check.h"

namespace attend::ATTEND_PRECISION {

Replayed replay_bundle(const std::filesystem::path& bundle, int threads) { return replay(BundleFile(bundle), threads); }

plan::GradientReport check_gradients(const config::Value& config, const std::string& path,
                                     const plan::GradientCheckSetup& setup) {
    return check_gradients(experiment_of(config, path), setup);
}

lab::Report measure_estimators(const config::Value& config, const std::string& path, const std::string& saved,
                               const std::vector<lab::Place>& places, const lab::Setup& setup) {
    return measure_estimators(experiment_of(config, path), saved, places, setup);
}

}  // namespace attend::ATTEND_PRECISION
