#include "nn/estimators/pathwise.h"

#include "core/ops.h"

namespace attend::ATTEND_PRECISION {

namespace {
class SoftStart final : public Estimator {
  public:
    Aim aim() const override { return Aim::expected; }
    bool unbiased() const override { return false; }
    Estimated operator()(const Rollouts& rollouts, double normaliser, const Context&) const override {
        return pathwise(rollouts, *choose_softly(), 1, normaliser);
    }
};
}  // namespace

const Estimator& soft_start() {
    static const SoftStart start;
    return start;
}

Estimated pathwise(const Rollouts& rollouts, const Choosing& way, int64_t samples, double normaliser) {
    const Rollout rollout = rollouts(way, samples);
    return averaged(rollout, sum(rollout.loss), normaliser);
}

}  // namespace attend::ATTEND_PRECISION
