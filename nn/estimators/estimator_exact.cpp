#include "nn/estimators/marginal.h"

namespace attend::ATTEND_PRECISION {

namespace {

/// L = -sum_t log sum_s p(a_t = s) p(y_t | a_t = s)   (Wu, Shapiro and Cotterell 2018, eq. 5): every position of every step is
/// read, so it is exact where a choice affects its own step alone.
class Exact final : public Estimator {
  public:
    Aim aim() const override { return Aim::marginal; }
    bool needs_independence() const override { return true; }

    Estimated operator()(const Play& play, double normaliser, const Context&) const override {
        return marginal(play, play_all_positions(play), Tensor::full({play.rows(), play.positions(), play.targets()}, 1),
                        normaliser);
    }
    bool draws() const override { return false; }
};

}  // namespace

EstimatorTable::Row estimator_exact() {
    return EstimatorTable::row<Exact>("exact", "marginal: all positions are read and summed (Wu 2018, eq. 5)");
}

}  // namespace attend::ATTEND_PRECISION
