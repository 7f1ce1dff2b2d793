#pragma once
/// Options of REINFORCE; what it computes stands in estimator_reinforce.cpp.
#include "nn/estimators/baseline.h"

namespace attend::ATTEND_PRECISION {

struct ReinforceOptions {
    Selection baseline{baseline_table(), "leave_one_out"};
    int64_t samples = 4;
    std::string reward = "following";
    std::string scale = "none";
    double scale_decay = 0.9;
    double entropy = 0;
    int64_t entropy_steps = 0;
    void fields(Visitor& v) {
        baseline_field(v, baseline);
        samples_field(v, samples);
        v.choice("reward", reward, {"following", "own"},
                 "losses that a choice is credited with: of its step and all later ones, or (own) of its step alone, for "
                 "choices that "
                 "affect no other step");
        v.choice(
            "scale", scale, {"none", "running"},
            "running: loss minus baseline is divided by its root mean square of earlier steps, where that is above 1 (Mnih and "
            "Gregor 2014, 2.3); then the estimate is not the gradient of one objective, as choices and predictions have "
            "different weights");
        v.number("scale_decay", scale_decay, {0, 0.9999999}, "running: share of that mean square kept in a step");
        v.number("entropy", entropy, {0, 1e3},
                 "lambda: nats of loss that one nat of entropy of the weights is worth (Xu 2015, 4.1)");
        v.integer("entropy_steps", entropy_steps, {0, 4'000'000'000, "off"},
                  "training steps over which `entropy` falls to 0, in a straight line; off: it stays");
    }
};

}  // namespace attend::ATTEND_PRECISION
