#pragma once
/// Options of REINFORCE; what it computes stands in estimator_reinforce.cpp.
#include "nn/estimators/baseline.h"

namespace attend::ATTEND_PRECISION {

struct ReinforceOptions {
    Selection baseline{baseline_table(), "none"};
    int64_t samples = 1;
    std::string reward = "following";
    std::string scale = "none";
    double scale_decay = 0.9;
    double entropy = 0;
    int64_t entropy_steps = 0;
    void fields(Visitor& v) {
        v.selection("baseline", baseline, "what is taken from the loss that a choice answers for");
        v.integer("samples", samples, {1, 1024}, "choices drawn for each example; their estimates are averaged");
        v.choice("reward", reward, {"following", "own"},
                 "what a choice answers for: the loss of its step and all behind it, or of its step alone, where it reaches no "
                 "other");
        v.choice(
            "scale", scale, {"none", "running"},
            "running: loss minus baseline is divided by its root mean square of earlier steps, where that is above 1 (Mnih and "
            "Gregor 2014, 2.3): no longer the gradient of one objective, as choices and predictions are weighed apart");
        v.number("scale_decay", scale_decay, {0, 0.9999999}, "share of that mean square kept a step");
        v.number("entropy", entropy, {0, 1e3}, "nats of entropy of the weights that are worth a nat of loss (Xu 2015, 4.1)");
        v.integer("entropy_steps", entropy_steps, {0, 4'000'000'000, "off"},
                  "training steps over which `entropy` falls to 0, in a straight line; off: it stays");
    }
};

}  // namespace attend::ATTEND_PRECISION
