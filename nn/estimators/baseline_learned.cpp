#include <cmath>

#include "core/ops.h"
#include "nn/estimators/baseline.h"
#include "nn/layers.h"

namespace attend::ATTEND_PRECISION {

namespace {

struct LearnedOptions {
    int64_t hidden = 64;
    void fields(Visitor& v) { v.integer("hidden", hidden, {1, 65536}, "width of the hidden layer"); }
};

/// b_t = w tanh(W q_t + c) + d of the query that chooses, trained by the squared error to the loss
/// to go (Mnih and Gregor 2014, 2.3). No gradient reaches the query.
class Learned final : public Baseline {
  public:
    Learned(const LearnedOptions& o, const Scope& scope, const EstimatorSetup& s) {
        const double in = 1 / std::sqrt(static_cast<double>(s.query)), out = 1 / std::sqrt(static_cast<double>(o.hidden));
        up_ = Linear(scope.in("up"), s.query, o.hidden, Bias::yes, Init::uniform(in));
        down_ = Linear(scope.in("down"), o.hidden, 1, Bias::yes, Init::uniform(out));
    }

    // L = 1 / (2 N K) sum (b - G)^2
    BaselineValue operator()(const BaselineInput& in, const Context&) const override {
        const Tensor q = in.rollout.queries();
        const int64_t b = q.dim(0), k = q.dim(1), t = q.dim(2);
        const Tensor value = down_(tanh(up_(q))).reshape({b, k, t});
        const Tensor off = (value - in.to_go) * in.rollouts.mask().reshape({b, 1, t});
        const double share = 0.5 / (in.normaliser * static_cast<double>(k));
        return {value.detach(), scale(sum(square(off)), static_cast<real>(share))};
    }

  private:
    Linear up_, down_;
};

}  // namespace

BaselineTable::Row baseline_learned() {
    return BaselineTable::row<Learned, LearnedOptions>("learned",
                                                       "a small network of the decoder's state (Mnih and Gregor 2014, 2.3)");
}

}  // namespace attend::ATTEND_PRECISION
