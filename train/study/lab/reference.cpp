#include "train/study/lab/reference.h"

#include "core/ops.h"
#include "nn/estimators/marginal.h"

namespace attend::ATTEND_PRECISION {

namespace {

class ExactObjective final : public Estimator {
  public:
    ExactObjective(Aim aim, const Estimator& with) : aim_(aim), with_(with) {}
    Aim aim() const override { return aim_; }
    bool needs_independence() const override { return true; }

    Estimated operator()(const Play& play, double normaliser, const Context&) const override {
        const Played played = play_all_positions(play, with_.proposal(play).get());
        if (aim_ == Aim::marginal)
            return marginal(play, played, Tensor::full(played.loss.shape(), 1), normaliser);
        const Tensor counted = play.counted().reshape({play.rows(), 1, play.targets()});
        Tensor each = played.loss * (aim_ == Aim::bound ? exp(played.log_proposal()) : played.probability());
        if (aim_ == Aim::bound)  // the divergence of a step is that of every position's copy: one of them counts
            each = each + scale(played.divergence() * counted, static_cast<real>(1 / static_cast<double>(play.positions())));
        Estimated out;
        out.loss = scale(sum(each * counted), static_cast<real>(1 / normaliser));
        out.target_loss = Tensor::zeros({play.rows(), play.targets()});
        return out;
    }

  private:
    Aim aim_;
    const Estimator& with_;
};

}  // namespace

std::unique_ptr<Estimator> exact_objective(Aim aim, const Estimator& with) {
    return std::make_unique<ExactObjective>(aim, with);
}

}  // namespace attend::ATTEND_PRECISION
