#include "nn/estimators/marginal.h"

namespace attend::inline ATTEND_PRECISION {

namespace {

/// L = -sum_t log sum_s p(a_t = s) p(y_t | a_t = s)   (Wu, Shapiro and Cotterell 2018, eq. 5): every position of every step is
/// read, so it is exact where a choice reaches its own step alone.
class Exact final : public Estimator {
  public:
    Aim aim() const override { return Aim::marginal; }
    bool needs_independence() const override { return true; }

    // K = S samples, of which the k-th reads position k everywhere.
    Estimated operator()(const Play& play, double normaliser, const Context&) const override {
        const int64_t b = play.rows(), s = play.positions(), t = play.targets();
        Array<int32_t> choices(static_cast<std::size_t>(b * s * t));
        for (std::size_t i = 0; i < choices.size(); ++i) choices[i] = static_cast<int32_t>(static_cast<int64_t>(i) / t % s);
        const Played played = play({.how = Choose::drawn, .samples = s, .forced = {std::move(choices)}});
        return marginal(play, played, Tensor::full({b, s, t}, 1), normaliser);
    }
};

}  // namespace

EstimatorTable::Row estimator_exact() {
    return EstimatorTable::make<NoOptions>(
        "exact", "marginal: all positions are read and summed (Wu 2018, eq. 5)",
        [](const NoOptions&, const Scope&, const EstimatorSetup&) { return std::make_unique<Exact>(); });
}

}  // namespace attend::inline ATTEND_PRECISION
