#pragma once
/// Adadelta (Zeiler 2012, algorithm 1) as torch.optim.Adadelta. The defaults are PyTorch's (rho
/// 0.9, epsilon 1e-6). Zeiler's experiments and Bahdanau et al. 2015 (B.2) use rho 0.95, epsilon
/// 1e-6 and a learning rate of 1, a factor that changes nothing.
#include "optim/arena_optimizer.h"

namespace attend::ATTEND_PRECISION {

struct AdadeltaOptions : UpdateOptions {
    double rho = 0.9;
    double epsilon = 1e-6;
    AdadeltaOptions() : UpdateOptions(1) {}
    void fields(Visitor& v) {
        rate_field(v, "factor of Adadelta's own step, at its highest");
        v.number("rho", rho, {0, below_one}, "share of the running mean squares kept in a step (Zeiler and Bahdanau: 0.95)");
        v.number("epsilon", epsilon, {1e-30, 1}, "added to the running mean squares under the root");
        decay_field(v);
    }
};

/// g' = g + weight_decay p;  a = rho a + (1 - rho) g'^2;  d = sqrt(u + epsilon) / sqrt(a + epsilon) g';
/// u = rho u + (1 - rho) d^2;  p -= learning_rate d
class Adadelta final : public ArenaOptimizer<AdadeltaOptions> {
  public:
    Adadelta(const AdadeltaOptions& o, const ParameterStore& store)
        : ArenaOptimizer(o, store, {"square_average", "accumulated_delta"}) {}

  private:
    void apply(const Segment& s, const UpdateStep& step) override {
        const kernels::AdadeltaStep k{numbers(s, step), as_real(o_.rho), o_.epsilon};
        kernels::adadelta(k, s.value, s.gradient, state_of(0, s), state_of(1, s), s.size);
    }
};

}  // namespace attend::ATTEND_PRECISION
