#pragma once
/// Adam with Nesterov momentum (Dozat 2016, "Incorporating Nesterov momentum into Adam") as
/// torch.optim.NAdam is documented. (PyTorch 1.13's code has one factor mu_t too many in the
/// product up to t + 1; later versions do as documented.)
#include "optim/adam.h"

namespace attend::ATTEND_PRECISION {

struct NadamOptions : AdamOptions {
    double momentum_decay = 4e-3;
    NadamOptions() : AdamOptions(2e-3) {}
    void fields(Visitor& v) {
        AdamOptions::fields(v);
        v.number("momentum_decay", momentum_decay, {0, 1000},
                 "how fast the momentum's share rises from half of beta1 to beta1");
    }
};

/// m, v as in Adam, and with t from 1, u_t = b1 (1 - 0.96^(t momentum_decay) / 2), U_t = u_1 ...
/// u_t: p -= learning_rate (u_(t+1) / (1 - U_(t+1)) m + (1 - u_t) / (1 - U_t) g') / (sqrt(v / (1 -
/// b2^t)) + epsilon)
class Nadam final : public AdamLike<NadamOptions> {
  public:
    Nadam(const NadamOptions& o, const ParameterStore& store) : AdamLike("nadam", o, store) {}
    /// The product U_t: a function of t alone, continued from the step before, or computed again
    /// (after a resume).
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
        return beta1() * (1 - 0.5 * std::pow(0.96, static_cast<double>(t) * o_.momentum_decay));
    }
    void apply(const Segment& s, const UpdateStep& step) override {
        const int64_t t = step.step + 1;
        ensure(factors_ == t, "optimizer nadam: prepare() comes before update(): prepared for step {}, asked for {}",
               factors_ - 1, step.step);
        kernels::NadamStep k{moments(s, step)};
        const double now = momentum(t), next = momentum(t + 1);
        k.momentum_rate = step.learning_rate * next / (1 - product_ * next);
        k.gradient_rate = step.learning_rate * (1 - now) / (1 - product_);
        kernels::nadam(k, s.value, s.gradient, state_of(0, s), state_of(1, s), s.size);
    }
    int64_t factors_ = 0;  // in the product
    double product_ = 1;
};

}  // namespace attend::ATTEND_PRECISION
