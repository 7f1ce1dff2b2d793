#include "nn/estimators/pathwise.h"

#include "core/ops.h"

namespace attend::ATTEND_PRECISION {

namespace {
class SoftStart final : public Estimator {
  public:
    Aim aim() const override { return Aim::expected; }
    bool unbiased() const override { return false; }
    Estimated operator()(const Play& play, double normaliser, const Context&) const override {
        return pathwise(play, {.how = Choose::softly, .samples = 1}, normaliser);
    }
};
}  // namespace

const Estimator& soft_start() {
    static const SoftStart start;
    return start;
}

Estimated pathwise(const Play& play, const Rule& rule, double normaliser) {
    const Played played = play(rule);
    return averaged(played, sum(played.loss), normaliser);
}

}  // namespace attend::ATTEND_PRECISION
