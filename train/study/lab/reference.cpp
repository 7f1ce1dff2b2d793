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

    Estimated operator()(const Rollouts& rollouts, double normaliser, const Context&) const override {
        if (aim_ == Aim::marginal)
            return marginal(rollouts.by_position_one_by_one([](const Tensor& weights) { return with_weight(weights); }),
                            Tensor::full({1, 1, 1}, 1), rollouts.mask(), normaliser);
        const std::unique_ptr<Proposal> q = with_.proposal(rollouts.target());
        const WayOfChoosing each_in_turn = choose_forced(each_position(rollouts), q ? choose_proposed(*q) : choose_drawn());
        const Rollout rollout = rollouts(*each_in_turn, rollouts.positions());
        const Tensor mask = rollouts.mask().reshape({rollouts.rows(), 1, rollouts.targets()});
        Tensor each = rollout.loss * (aim_ == Aim::bound ? exp(rollout.log_proposal()) : rollout.probability());
        if (aim_ == Aim::bound)  // the divergence of a step is that of every position's copy: one of them counts
            each = each + scale(rollout.divergence() * mask, static_cast<real>(1 / static_cast<double>(rollouts.positions())));
        Estimated out;
        out.loss = scale(sum(each * mask), static_cast<real>(1 / normaliser));
        out.target_loss = Tensor::zeros({rollouts.rows(), rollouts.targets()});
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
