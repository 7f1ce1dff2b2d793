#pragma once
/// Lion (Chen et al. 2023, "Symbolic discovery of optimization algorithms", algorithm 2). Every weight moves by the rate, so
/// rates are 3 to 10 times smaller than Adam's, and weight decay is that much larger.
#include "core/kernels/update.h"
#include "optim/arena_optimizer.h"

namespace attend::ATTEND_PRECISION {

struct LionOptions {
    double learning_rate = 1e-4;
    std::vector<double> betas = {0.9, 0.99};
    double weight_decay = 0;
    void fields(Visitor& v) {
        v.number("learning_rate", learning_rate, {0, 1000}, "peak learning rate");
        v.numbers("betas", betas, {0, below_one}, true,
                  "share of the momentum in the step's sign, and share of the momentum kept a step");
        v.number("weight_decay", weight_decay, {0, 1000},
                 "each step shrinks weights of two or more dimensions by rate times this");
    }
};

/// p *= 1 - learning_rate weight_decay;  p -= learning_rate sign(b1 m + (1 - b1) g);  m = b2 m + (1 - b2) g
class Lion final : public ArenaOptimizer {
  public:
    /// Throws Error unless there are two betas, each at least 0 and below 1.
    Lion(const LionOptions& o, const ParameterStore& store) : ArenaOptimizer(store, {"m"}), o_(o) {
        require(o.betas.size() == 2, "optimizer lion: betas must be two numbers: given {}, needed 2", o.betas.size());
        for (double beta : o.betas)
            require(beta >= 0 && beta <= below_one, "optimizer lion: betas out of range: value {}, allowed 0 to {}", beta,
                    below_one);
    }
    double learning_rate() const override { return o_.learning_rate; }

  private:
    void apply(const Segment& s, const UpdateStep& step) override {
        kernels::LionStep k;
        k.gradient_scale = step.gradient_scale;
        k.learning_rate = step.learning_rate;
        k.decoupled_decay = s.decays ? o_.weight_decay : 0;
        k.beta1 = o_.betas[0];
        k.beta2 = o_.betas[1];
        kernels::lion(k, s.value, s.gradient, state_of(0, s), s.size);
    }
    LionOptions o_;
};

}  // namespace attend::ATTEND_PRECISION
