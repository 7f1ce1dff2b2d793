#include "core/engine.h"
#include "core/ops.h"
#include "nn/estimators/baseline.h"

namespace attend::ATTEND_PRECISION {

namespace {

struct RebarOptions {
    int64_t samples = 1;
    double temperature = 0.5;
    double strength = 1;
    void fields(Visitor& v) {
        samples_field(v, samples);
        v.number("temperature", temperature, {1e-2, 1e3}, "of the relaxed choices that the control variate reads");
        v.number("strength", strength, {0, 10}, "how much of the control variate is used (eta); 0: REINFORCE");
    }
};

/// With f the loss of a step, a ~ p, z its Gumbel noise given a, y = softmax(z / tau):
///     grad E[f(a)] = E[ (f(a) - eta f(y)) grad log p(a) + grad f(a) + eta grad_free f(y) - eta grad_given f(y) ]
/// (Tucker et al. 2017, eq. 7, its two noises coupled as in appendix C): grad_free differentiates z
/// as a draw that nothing is known of, grad_given as one whose largest is a. Their values are
/// equal, so all that does not go through z cancels. Choices must affect no other step, as the
/// relaxed pass would be another history.
class Rebar final : public Estimator {
  public:
    explicit Rebar(const RebarOptions& o) : options_(o) {}
    Aim aim() const override { return Aim::expected; }
    bool needs_independence() const override { return true; }

    Estimated operator()(const Rollouts& rollouts, double normaliser, const Context&) const override {
        const int64_t k = options_.samples;
        const Rollout rollout = rollouts(*choose_drawn(), k);
        Tensor each = rollout.loss, control = Tensor::zeros({1, 1, 1});
        if (options_.strength > 0) {
            const auto relaxed = [&](GivenSlope slope) {
                return rollouts(*choose_given(rollout.choices(), options_.temperature, slope), k).loss;
            };
            const auto eta = static_cast<real>(options_.strength);
            const Tensor free = relaxed(GivenSlope::free);
            each = each + scale(free - relaxed(GivenSlope::given), eta);
            control = scale(free.detach(), eta);
        }
        const Tensor centred = advantage(rollout.loss, control, rollouts.mask());
        each = each + centred * rollout.log_probability();
        Estimated out = averaged(rollout, sum(each), normaliser);
        out.advantages = advantage_sums(centred, rollouts.mask());
        return out;
    }
    Tensor direct(const Rollouts& rollouts, double normaliser, const Context&) const override {
        return direct_losses(rollouts, *choose_drawn(), options_.samples, normaliser);
    }

  private:
    static Tensor advantage(const Tensor& loss, const Tensor& control, const Tensor& mask) {
        const NoGrad off;
        return (loss.detach() - control) * mask.reshape({mask.dim(0), 1, mask.dim(1)});
    }
    RebarOptions options_;
};

}  // namespace

EstimatorTable::Row estimator_rebar() {
    return EstimatorTable::row<Rebar, RebarOptions>(
        "rebar", "expected: REINFORCE with the relaxed model as control variate, two passes more (Tucker 2017, eq. 7)");
}

}  // namespace attend::ATTEND_PRECISION
