#pragma once
/// Adam (Kingma and Ba 2015, algorithm 1) as torch.optim.Adam: weight decay is added to the gradient.
#include <cmath>

#include "core/kernels/update.h"
#include "optim/arena_optimizer.h"

namespace attend::ATTEND_PRECISION {

struct AdamOptions {
    double learning_rate = 1e-3;
    std::vector<double> betas = {0.9, 0.999};
    double epsilon = 1e-8;
    double weight_decay = 0;
    void fields(Visitor& v) {
        v.number("learning_rate", learning_rate, {0, 1000}, "peak learning rate");
        v.numbers("betas", betas, {0, below_one}, true, "shares of the running mean and of the running square kept a step");
        v.number("epsilon", epsilon, {1e-30, 1}, "added to the root of the running square");
        v.number("weight_decay", weight_decay, {0, 1000},
                 "adds this times the weights to the gradient (two or more dimensions)");
    }
};

/// The numbers of one step that Adam and AdamW share. `name` stands in errors.
class AdamNumbers {
  public:
    /// Throws Error unless there are two betas, each at least 0 and below 1, and epsilon is above 0.
    AdamNumbers(const char* name, const std::vector<double>& betas, double epsilon) : epsilon_(static_cast<real>(epsilon)) {
        require(betas.size() == 2, "optimizer {}: betas must be two numbers: given {}, needed 2", name, betas.size());
        for (double beta : betas)
            require(beta >= 0 && beta <= below_one, "optimizer {}: betas out of range: value {}, allowed 0 to {}", name, beta,
                    below_one);
        require(epsilon_ > 0, "optimizer {}: epsilon must be above 0: epsilon {}, least 1e-30", name, epsilon);
        beta1_ = static_cast<real>(betas[0]);
        beta2_ = static_cast<real>(betas[1]);
    }
    // The corrections are those of the betas as `real` holds them: 1 - 0.999f differs from 0.001 by 1e-5 of it, and the first
    // steps would carry that error.
    kernels::AdamStep at(const UpdateStep& step) const {
        const double t = static_cast<double>(step.step + 1);
        kernels::AdamStep k;
        k.gradient_scale = static_cast<real>(step.gradient_scale);
        k.learning_rate = static_cast<real>(step.learning_rate);
        k.beta1 = beta1_;
        k.beta2 = beta2_;
        k.epsilon = epsilon_;
        k.bias_correction1 = static_cast<real>(1 - std::pow(static_cast<double>(beta1_), t));
        k.bias_correction2 = static_cast<real>(1 - std::pow(static_cast<double>(beta2_), t));
        return k;
    }

    double beta1() const { return static_cast<double>(beta1_); }

  private:
    real beta1_ = 0, beta2_ = 0, epsilon_;
};

/// g' = g + weight_decay p;  m = b1 m + (1 - b1) g';  v = b2 v + (1 - b2) g'^2;  with t from 1:
/// p -= learning_rate / (1 - b1^t) m / (sqrt(v / (1 - b2^t)) + epsilon)
class Adam final : public ArenaOptimizer {
  public:
    Adam(const AdamOptions& o, const ParameterStore& store)
        : ArenaOptimizer(store, {"m", "v"}), o_(o), numbers_("adam", o.betas, o.epsilon) {}
    double learning_rate() const override { return o_.learning_rate; }

  private:
    void apply(const Segment& s, const UpdateStep& step) override {
        kernels::AdamStep k = numbers_.at(step);
        k.weight_decay = static_cast<real>(s.decays ? o_.weight_decay : 0);
        kernels::adam(k, s.value, s.gradient, state_of(0, s), state_of(1, s), s.size);
    }
    AdamOptions o_;
    AdamNumbers numbers_;
};

}  // namespace attend::ATTEND_PRECISION
