#pragma once
/// Options of REINFORCE; what it computes stands in estimator_reinforce.cpp.
#include "nn/estimators/baseline.h"

namespace attend::inline ATTEND_PRECISION {

struct ReinforceOptions {
    Selection baseline{baseline_table(), "none"};
    int64_t samples = 1;
    double entropy = 0;
    int64_t entropy_steps = 0;
    void fields(Visitor& v) {
        v.selection("baseline", baseline, "what is taken from the loss that follows a choice");
        v.integer("samples", samples, {1, 1024}, "choices drawn for each example; their estimates are averaged");
        v.number("entropy", entropy, {0, 1e3}, "nats of entropy of the weights that are worth a nat of loss (Xu 2015, 4.1)");
        v.integer("entropy_steps", entropy_steps, {0, 4'000'000'000, "off"},
                  "training steps over which `entropy` falls to 0, in a straight line; off: it stays");
    }
};

}  // namespace attend::inline ATTEND_PRECISION
