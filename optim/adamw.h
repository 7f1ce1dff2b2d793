#pragma once
/// AdamW (Loshchilov and Hutter 2019, algorithm 2) as torch.optim.AdamW: weight decay acts on the weights themselves.
#include "optim/adam.h"

namespace attend::ATTEND_PRECISION {

struct AdamwOptions {
    double learning_rate = 1e-3;
    std::vector<double> betas = {0.9, 0.999};
    double epsilon = 1e-8;
    double weight_decay = 0.01;
    void fields(Visitor& v) {
        v.number("learning_rate", learning_rate, {0, 1000}, "peak learning rate");
        v.numbers("betas", betas, {0, below_one}, true, "shares of the running mean and of the running square kept a step");
        v.number("epsilon", epsilon, {1e-30, 1}, "added to the root of the running square");
        v.number("weight_decay", weight_decay, {0, 1000},
                 "each step shrinks weights of two or more dimensions by rate times this");
    }
};

/// p *= 1 - learning_rate weight_decay, and then as Adam without decay.
class Adamw final : public ArenaOptimizer {
  public:
    Adamw(const AdamwOptions& o, const ParameterStore& store)
        : ArenaOptimizer(store, {"m", "v"}), o_(o), numbers_("adamw", o.betas, o.epsilon) {}
    double learning_rate() const override { return o_.learning_rate; }

  private:
    void apply(const Segment& s, const UpdateStep& step) override {
        kernels::AdamStep k = numbers_.at(step);
        k.decoupled_decay = static_cast<real>(s.decays ? o_.weight_decay : 0);
        kernels::adam(k, s.value, s.gradient, state_of(0, s), state_of(1, s), s.size);
    }
    AdamwOptions o_;
    AdamNumbers numbers_;
};

}  // namespace attend::ATTEND_PRECISION
