#pragma once
/// Adadelta (Zeiler 2012, algorithm 1) as torch.optim.Adadelta. The defaults are PyTorch's (rho 0.9, epsilon 1e-6); Zeiler's
/// experiments and Bahdanau et al. 2015 (B.2) use rho 0.95, epsilon 1e-6, and a learning rate of 1, which is no factor at all.
#include "core/kernels/update.h"
#include "optim/arena_optimizer.h"

namespace attend::ATTEND_PRECISION {

struct AdadeltaOptions {
    double learning_rate = 1;
    double rho = 0.9;
    double epsilon = 1e-6;
    double weight_decay = 0;
    void fields(Visitor& v) {
        v.number("learning_rate", learning_rate, {0, 1000}, "peak factor on Adadelta's own step");
        v.number("rho", rho, {0, below_one}, "share of the running squares kept a step (Zeiler and Bahdanau: 0.95)");
        v.number("epsilon", epsilon, {1e-30, 1}, "added to the running squares under the root");
        v.number("weight_decay", weight_decay, {0, 1000},
                 "adds this times the weights to the gradient (two or more dimensions)");
    }
};

/// g' = g + weight_decay p;  a = rho a + (1 - rho) g'^2;  d = sqrt(u + epsilon) / sqrt(a + epsilon) g';
/// u = rho u + (1 - rho) d^2;  p -= learning_rate d
class Adadelta final : public ArenaOptimizer {
  public:
    /// Throws Error when rho is not below 1 or epsilon not above 0.
    Adadelta(const AdadeltaOptions& o, const ParameterStore& store)
        : ArenaOptimizer(store, {"square_average", "accumulated_delta"}), o_(o) {
        require(o.rho >= 0 && o.rho <= below_one, "optimizer adadelta: rho out of range: rho {}, allowed 0 to {}", o.rho,
                below_one);
        require(static_cast<real>(o.epsilon) > 0, "optimizer adadelta: epsilon must be above 0: epsilon {}, least 1e-30",
                o.epsilon);
    }
    double learning_rate() const override { return o_.learning_rate; }

  private:
    void apply(const Segment& s, const UpdateStep& step) override {
        kernels::AdadeltaStep k;
        k.gradient_scale = static_cast<real>(step.gradient_scale);
        k.learning_rate = static_cast<real>(step.learning_rate);
        k.weight_decay = static_cast<real>(s.decays ? o_.weight_decay : 0);
        k.rho = static_cast<real>(o_.rho);
        k.epsilon = static_cast<real>(o_.epsilon);
        kernels::adadelta(k, s.value, s.gradient, state_of(0, s), state_of(1, s), s.size);
    }
    AdadeltaOptions o_;
};

}  // namespace attend::ATTEND_PRECISION
