#pragma once
/// Lion (Chen et al. 2023, "Symbolic discovery of optimization algorithms", algorithm 2). Every
/// weight moves by the rate, so rates are 3 to 10 times smaller than Adam's, and weight decay is
/// larger by the same factor.
#include "optim/adam.h"

namespace attend::ATTEND_PRECISION {

struct LionOptions : UpdateOptions {
    std::vector<double> betas = {0.9, 0.99};
    LionOptions() : UpdateOptions(1e-4) {}
    void fields(Visitor& v) {
        rate_field(v);
        v.numbers("betas", betas, {0, below_one}, true,
                  "share of the momentum in the step's sign, and share of the momentum kept in a step");
        decoupled_decay_field(v);
    }
};

/// p *= 1 - learning_rate weight_decay;  p -= learning_rate sign(b1 m + (1 - b1) g);  m = b2 m + (1 - b2) g
class Lion final : public ArenaOptimizer<LionOptions> {
  public:
    Lion(const LionOptions& o, const ParameterStore& store) : ArenaOptimizer(o, store, {"m"}) { require_two("lion", o.betas); }

  private:
    void apply(const Segment& s, const UpdateStep& step) override {
        const kernels::LionStep k{numbers(s, step), o_.betas[0], o_.betas[1]};
        kernels::lion(k, s.value, s.gradient, state_of(0, s), s.size);
    }
};

}  // namespace attend::ATTEND_PRECISION
