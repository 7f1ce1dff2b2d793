#include "nn/estimators/pathwise.h"

#include "core/ops.h"

namespace attend::inline ATTEND_PRECISION {

Estimated pathwise(const Play& play, const Rule& rule, double normaliser) {
    const Played played = play(rule);
    Estimated out;
    out.loss = scale(sum(played.loss), static_cast<real>(1 / (normaliser * static_cast<double>(rule.samples))));
    out.target_loss = mean_of_samples(played.loss);
    out.predicted = first_sample(played);
    return out;
}

}  // namespace attend::inline ATTEND_PRECISION
