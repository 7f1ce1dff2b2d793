#pragma once
/// Rectified Adam (Liu et al. 2020, "On the variance of the adaptive learning rate and beyond",
/// algorithm 2) as torch.optim.RAdam.
#include "optim/adam.h"

namespace attend::ATTEND_PRECISION {

/// m, v as in Adam, and with t from 1, r_inf = 2 / (1 - b2) - 1, r_t = r_inf - 2 t b2^t / (1 -
/// b2^t): while r_t <= 5, p -= learning_rate m / (1 - b1^t), and then with R = sqrt((r_t - 4) (r_t
/// - 2) r_inf / ((r_inf - 4) (r_inf - 2) r_t)): p -= learning_rate R m / (1 - b1^t) sqrt(1 - b2^t)
/// / (sqrt(v) + epsilon)
class Radam final : public AdamLike<AdamOptions> {
  public:
    Radam(const AdamOptions& o, const ParameterStore& store) : AdamLike("radam", o, store) {}

  private:
    void apply(const Segment& s, const UpdateStep& step) override {
        kernels::RadamStep k{moments(s, step)};
        const double t = static_cast<double>(step.step + 1);
        const double longest = 2 / (1 - k.beta2) - 1;
        const double length = longest - 2 * t * (1 - k.bias_correction2) / k.bias_correction2;
        k.rate = step.learning_rate / k.bias_correction1;
        k.adaptive = length > 5 ? kernels::Adaptive::yes : kernels::Adaptive::no;
        if (length > 5)
            k.rate *= std::sqrt(k.bias_correction2 * (length - 4) * (length - 2) * longest /
                                ((longest - 4) * (longest - 2) * length));
        kernels::radam(k, s.value, s.gradient, state_of(0, s), state_of(1, s), s.size);
    }
};

}  // namespace attend::ATTEND_PRECISION
