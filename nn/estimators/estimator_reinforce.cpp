#include <algorithm>
#include <cmath>

#include "core/ops.h"
#include "nn/estimators/reinforce.h"

namespace attend::ATTEND_PRECISION {

namespace {

/// With G_t = sum_{t' >= t} -log p(y_t' | a) and a baseline b that does not see a_t,
///     grad E[-log p(y | a)] = E[ grad -log p(y | a) + sum_t (G_t - b_t) grad log p(a_t) ]   (Williams 1992; Xu 2015, eq. 11)
/// as the gradient of  1/(N K) sum_k sum_t [ -log p(y_t | a) + stop(G_t - b_t) log p(a_t) - lambda H_t ]. With entropy the
/// objective is E[-log p(y | a) - lambda sum_t H_t], and a choice is credited with the entropies
/// from its step on too: those of other sites at its own step may depend on it, and what does not
/// only adds noise.
class Reinforce final : public Estimator {
  public:
    Reinforce(const ReinforceOptions& o, const Scope& scope, const EstimatorSetup& s)
        : options_(o),
          reward_(o.reward == "own" ? Reward::own : Reward::following),
          baseline_(build_baseline(o.baseline, o.samples, scope, s)),
          store_(&scope.store()) {
        if (o.scale == "running")
            square_ = &scope.add_state("square", {1}, 1, o.scale_decay);
    }
    Aim aim() const override { return Aim::expected; }
    bool unbiased() const override { return square_ == nullptr && options_.entropy == 0; }  // of another objective
    bool needs_independence() const override { return reward_ == Reward::own; }

    Estimated operator()(const Rollouts& rollouts, double normaliser, const Context& context) const override {
        const Rollout rollout = rollouts(*choose_drawn(), options_.samples);
        const int64_t b = rollouts.rows(), t = rollouts.targets();
        const Tensor mask = rollouts.mask().reshape({b, 1, t});
        const double lambda = lambda_at(context.step);
        Tensor bonus;
        Tensor to_go = returns(rollout.loss, reward_);
        if (lambda > 0) {
            bonus = scale(rollout.entropy() * mask, static_cast<real>(-lambda));
            const NoGrad off;
            if (reward_ == Reward::following)
                to_go = to_go + reward_to_go(bonus);
        }
        const BaselineValue baseline = (*baseline_)({rollouts, rollout, to_go, normaliser, reward_}, context);
        const Tensor credited = reward_ == Reward::own ? mask : mask_to_go(rollouts.mask());
        const Tensor centred = less(to_go, baseline.value, credited);
        const Tensor advantage = scaled(centred, credited, context);
        Tensor each = rollout.loss + advantage * rollout.log_probability();
        if (bonus.defined())
            each = each + bonus;
        Estimated out = averaged(rollout, sum(each), normaliser);
        if (baseline.loss.defined())
            out.loss = out.loss + baseline.loss;
        out.advantages = advantage_sums(centred, credited.reshape({b, 1, t}));
        return out;
    }
    Tensor direct(const Rollouts& rollouts, double normaliser, const Context&) const override {
        return direct_losses(rollouts, *choose_drawn(), options_.samples, normaliser);
    }

  private:
    // stop(G - b) where there is a target, else 0.
    static Tensor less(const Tensor& to_go, const Tensor& baseline, const Tensor& mask) {
        const NoGrad off;
        return (to_go - baseline) * mask;
    }
    // The same over max(1, its root mean square of earlier steps) where that is asked for.
    Tensor scaled(const Tensor& advantage, const Tensor& mask, const Context& context) const {
        const NoGrad off;
        if (square_ == nullptr)
            return advantage;
        const double before = static_cast<double>(store_->state(*square_).data()[0]);
        if (context.updates != nullptr)
            context.updates->add(*square_, sum(square(advantage)).reshape({1}),
                                 static_cast<double>(sum(mask).data()[0]) * static_cast<double>(options_.samples));
        return scale(advantage, static_cast<real>(1 / std::sqrt(std::max(1.0, before))));
    }
    double lambda_at(uint32_t step) const {
        if (options_.entropy_steps == 0)
            return options_.entropy;
        return options_.entropy * std::max(0.0, 1 - static_cast<double>(step) / static_cast<double>(options_.entropy_steps));
    }

    ReinforceOptions options_;
    Reward reward_;
    std::unique_ptr<Baseline> baseline_;
    const ParameterStore* store_;
    const NamedState* square_ = nullptr;
};

}  // namespace

EstimatorTable::Row estimator_reinforce() {
    return EstimatorTable::row<Reinforce, ReinforceOptions>(
        "reinforce", "expected: drawn choices, weighted by the loss to go (Williams 1992; Xu 2015, eq. 11)");
}

}  // namespace attend::ATTEND_PRECISION
