#include "core/engine.h"
#include "core/ops.h"
#include "nn/estimators/baseline.h"

namespace attend::ATTEND_PRECISION {

namespace {

struct MovingAverageOptions {
    double decay = 0.9;
    void fields(Visitor& v) { v.number("decay", decay, {0, 0.9999999}, "share of the mean kept in a step"); }
};

/// b_t = n_t m, n_t the number of targets that a choice is credited with and m the moving mean of
/// the loss of one target in earlier steps (Xu et al. 2015, eq. 12, where a sequence has one
/// reward)
class MovingAverage final : public Baseline {
  public:
    MovingAverage(const MovingAverageOptions& o, const Scope& scope, const EstimatorSetup&)
        : store_(&scope.store()), mean_(&scope.add_state("mean", {1}, 0, o.decay)) {}

    BaselineValue operator()(const BaselineInput& in, const Context& context) const override {
        const Tensor& mask = in.rollouts.mask();
        const real m = store_->state(*mean_).data()[0];
        if (context.updates != nullptr) {
            const Tensor all = in.rollout.loss;
            double sum = 0, targets = 0;
            for (int64_t i = 0; i < all.size(); ++i) sum += static_cast<double>(all.data()[i]);
            for (int64_t i = 0; i < mask.size(); ++i) targets += static_cast<double>(mask.data()[i]);
            context.updates->add(*mean_, Tensor::of({1}, {static_cast<real>(sum)}), targets * static_cast<double>(all.dim(1)));
        }
        return {scale(returns(mask.reshape({mask.dim(0), 1, mask.dim(1)}), in.reward), m)};
    }

  private:
    const ParameterStore* store_;
    const NamedState* mean_;
};

}  // namespace

BaselineTable::Row baseline_moving_average() {
    return BaselineTable::row<MovingAverage, MovingAverageOptions>("moving_average",
                                                                   "the mean loss of earlier steps (Xu 2015, eq. 12)");
}

}  // namespace attend::ATTEND_PRECISION
