#pragma once
/// AdamW (Loshchilov and Hutter 2019, algorithm 2) as torch.optim.AdamW: weight decay acts on the
/// weights themselves.
#include "optim/adam.h"

namespace attend::ATTEND_PRECISION {

struct AdamwOptions : AdamOptions {
    AdamwOptions() : AdamOptions(1e-3, 0.01) {}
    void fields(Visitor& v) {
        moment_fields(v);
        decoupled_decay_field(v);
    }
};

/// p *= 1 - learning_rate weight_decay, and then as Adam without decay.
class Adamw final : public AdamLike<AdamwOptions> {
  public:
    Adamw(const AdamwOptions& o, const ParameterStore& store) : AdamLike("adamw", o, store) {}

  private:
    void apply(const Segment& s, const UpdateStep& step) override {
        kernels::AdamStep k = moments(s, step);
        k.decoupled_decay = as_real(std::exchange(k.weight_decay, 0));
        kernels::adam(k, s.value, s.gradient, state_of(0, s), state_of(1, s), s.size);
    }
};

}  // namespace attend::ATTEND_PRECISION
