#pragma once
/// Rectified Adam (Liu et al. 2020, "On the variance of the adaptive learning rate and beyond", algorithm 2) as
/// torch.optim.RAdam.
#include "optim/adam.h"

namespace attend::ATTEND_PRECISION {

struct RadamOptions : AdamOptions {};

/// m, v as in Adam, and with t from 1, r_inf = 2 / (1 - b2) - 1, r_t = r_inf - 2 t b2^t / (1 - b2^t):
/// while r_t <= 5, p -= learning_rate m / (1 - b1^t), and then with
/// R = sqrt((r_t - 4) (r_t - 2) r_inf / ((r_inf - 4) (r_inf - 2) r_t)):
/// p -= learning_rate R m / (1 - b1^t) sqrt(1 - b2^t) / (sqrt(v) + epsilon)
class Radam final : public ArenaOptimizer {
  public:
    Radam(const RadamOptions& o, const ParameterStore& store)
        : ArenaOptimizer(store, {"m", "v"}), o_(o), numbers_("radam", o.betas, o.epsilon) {}
    double learning_rate() const override { return o_.learning_rate; }

  private:
    void apply(const Segment& s, const UpdateStep& step) override {
        const kernels::AdamStep a = numbers_.at(step);
        const double t = static_cast<double>(step.step + 1);
        const double longest = 2 / (1 - a.beta2) - 1;
        const double length = longest - 2 * t * (1 - a.bias_correction2) / a.bias_correction2;
        kernels::RadamStep k;
        k.gradient_scale = step.gradient_scale;
        k.weight_decay = s.decays ? o_.weight_decay : 0;
        k.beta1 = a.beta1;
        k.beta2 = a.beta2;
        k.epsilon = a.epsilon;
        k.rate = step.learning_rate / a.bias_correction1;
        k.adaptive = length > 5 ? kernels::Adaptive::yes : kernels::Adaptive::no;
        if (length > 5)
            k.rate *= std::sqrt(a.bias_correction2 * (length - 4) * (length - 2) * longest /
                                ((longest - 4) * (longest - 2) * length));
        kernels::radam(k, s.value, s.gradient, state_of(0, s), state_of(1, s), s.size);
    }
    RadamOptions o_;
    AdamNumbers numbers_;
};

}  // namespace attend::ATTEND_PRECISION
