#include "core/ops.h"
#include "nn/estimators/pathwise.h"

namespace attend::ATTEND_PRECISION {

namespace {

struct StraightThroughOptions {
    int64_t samples = 1;
    void fields(Visitor& v) { samples_field(v, samples); }
};

/// c = value_a, a ~ Categorical(p), with dc/dp taken as if c were sum_s p_s value_s   (Bengio, Leonard and Courville 2013, 4)
class StraightThrough final : public Estimator {
  public:
    explicit StraightThrough(const StraightThroughOptions& o) : options_(o) {}
    Aim aim() const override { return Aim::expected; }
    bool unbiased() const override { return false; }
    Estimated operator()(const Rollouts& rollouts, double normaliser, const Context&) const override {
        return pathwise(rollouts, *choose_straight_through(), options_.samples, normaliser);
    }
    Tensor direct(const Rollouts& rollouts, double normaliser, const Context&) const override {
        return direct_losses(rollouts, *choose_drawn(), options_.samples, normaliser);
    }

  private:
    StraightThroughOptions options_;
};

}  // namespace

EstimatorTable::Row estimator_straight_through() {
    return EstimatorTable::row<StraightThrough, StraightThroughOptions>(
        "straight_through", "expected, biased: drawn, with soft attention's gradient (Bengio 2013, section 4)");
}

}  // namespace attend::ATTEND_PRECISION
