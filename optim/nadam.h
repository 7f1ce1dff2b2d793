#pragma once
/// Adam with Nesterov momentum (Dozat 2016, "Incorporating Nesterov momentum into Adam") as torch.optim.NAdam is documented.
/// (PyTorch 1.13's code has one factor mu_t too many in the product up to t + 1; later versions do as documented.)
#include "optim/adam.h"

namespace attend::ATTEND_PRECISION {

struct NadamOptions {
    double learning_rate = 2e-3;
    std::vector<double> betas = {0.9, 0.999};
    double epsilon = 1e-8;
    double weight_decay = 0;
    double momentum_decay = 4e-3;
    void fields(Visitor& v) {
        v.number("learning_rate", learning_rate, {0, 1000}, "peak learning rate");
        v.numbers("betas", betas, {0, below_one}, true, "shares of the running mean and of the running square kept a step");
        v.number("epsilon", epsilon, {1e-30, 1}, "added to the root of the running square");
        v.number("weight_decay", weight_decay, {0, 1000},
                 "adds this times the weights to the gradient (two or more dimensions)");
        v.number("momentum_decay", momentum_decay, {0, 1000},
                 "how fast the momentum's share rises from half of beta1 to beta1");
    }
};

/// m, v as in Adam, and with t from 1, u_t = b1 (1 - 0.96^(t momentum_decay) / 2), U_t = u_1 ... u_t:
/// p -= learning_rate (u_(t+1) / (1 - U_(t+1)) m + (1 - u_t) / (1 - U_t) g') / (sqrt(v / (1 - b2^t)) + epsilon)
class Nadam final : public ArenaOptimizer {
  public:
    Nadam(const NadamOptions& o, const ParameterStore& store)
        : ArenaOptimizer(store, {"m", "v"}), o_(o), numbers_("nadam", o.betas, o.epsilon) {
        require(o.momentum_decay >= 0, "optimizer nadam: the decay must not be negative: momentum_decay {}, least 0",
                o.momentum_decay);
    }
    double learning_rate() const override { return o_.learning_rate; }
    /// The product U_t: a function of t alone, whether it is carried on from the step before or made anew (after a resume).
    void prepare(const ParameterStore&, const real*, const UpdateStep& step, Workers&) override {
        const int64_t t = step.step + 1;
        if (factors_ > t) {
            factors_ = 0;
            product_ = 1;
        }
        while (factors_ < t) product_ *= momentum(++factors_);
    }

  private:
    double momentum(int64_t t) const {
        return numbers_.beta1() * (1 - 0.5 * std::pow(0.96, static_cast<double>(t) * o_.momentum_decay));
    }
    void apply(const Segment& s, const UpdateStep& step) override {
        const int64_t t = step.step + 1;
        ensure(factors_ == t, "optimizer nadam: prepare() comes before update(): prepared for step {}, asked for {}",
               factors_ - 1, step.step);
        const kernels::AdamStep a = numbers_.at(step);
        kernels::NadamStep k;
        k.gradient_scale = step.gradient_scale;
        k.weight_decay = s.decays ? o_.weight_decay : 0;
        k.beta1 = a.beta1;
        k.beta2 = a.beta2;
        k.epsilon = a.epsilon;
        k.bias_correction2 = a.bias_correction2;
        const double now = momentum(t), next = momentum(t + 1);
        k.momentum_rate = step.learning_rate * next / (1 - product_ * next);
        k.gradient_rate = step.learning_rate * (1 - now) / (1 - product_);
        kernels::nadam(k, s.value, s.gradient, state_of(0, s), state_of(1, s), s.size);
    }
    NadamOptions o_;
    AdamNumbers numbers_;
    int64_t factors_ = 0;  // in the product
    double product_ = 1;
};

}  // namespace attend::ATTEND_PRECISION
