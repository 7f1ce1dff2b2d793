#pragma once
/// Adagrad (Duchi et al. 2011, the diagonal form) as torch.optim.Adagrad.
#include "core/kernels/update.h"
#include "optim/arena_optimizer.h"

namespace attend::ATTEND_PRECISION {

struct AdagradOptions {
    double learning_rate = 1e-2;
    double learning_rate_decay = 0;
    double initial_sum = 0;
    double epsilon = 1e-10;
    double weight_decay = 0;
    void fields(Visitor& v) {
        v.number("learning_rate", learning_rate, {0, 1000}, "peak learning rate");
        v.number("learning_rate_decay", learning_rate_decay, {0, 1000}, "step t (from 0) divides the rate by 1 + t times this");
        v.number("initial_sum", initial_sum, {0, 1e30}, "what the sums of squares start at");
        v.number("epsilon", epsilon, {1e-30, 1}, "added to the root of the sum of squares");
        v.number("weight_decay", weight_decay, {0, 1000},
                 "adds this times the weights to the gradient (two or more dimensions)");
    }
};

/// g' = g + weight_decay p;  s += g'^2 (from initial_sum);  with t from 0:
/// p -= learning_rate / (1 + t learning_rate_decay) g' / (sqrt(s) + epsilon)
class Adagrad final : public ArenaOptimizer {
  public:
    /// Throws Error when epsilon is not above 0, or a decay or the initial sum is below 0.
    Adagrad(const AdagradOptions& o, const ParameterStore& store) : ArenaOptimizer(store, {"square_sum"}), o_(o) {
        require(static_cast<real>(o.epsilon) > 0, "optimizer adagrad: epsilon must be above 0: epsilon {}, least 1e-30",
                o.epsilon);
        require(o.learning_rate_decay >= 0,
                "optimizer adagrad: the decay must not be negative: learning_rate_decay {}, least 0", o.learning_rate_decay);
        require(o.initial_sum >= 0, "optimizer adagrad: a sum of squares must not be negative: initial_sum {}, least 0",
                o.initial_sum);
        fill_state(0, store, static_cast<real>(o.initial_sum));
    }
    double learning_rate() const override { return o_.learning_rate; }

  private:
    void apply(const Segment& s, const UpdateStep& step) override {
        kernels::AdagradStep k;
        k.gradient_scale = step.gradient_scale;
        k.learning_rate = step.learning_rate / (1 + static_cast<double>(step.step) * o_.learning_rate_decay);
        k.weight_decay = s.decays ? o_.weight_decay : 0;
        k.epsilon = o_.epsilon;
        kernels::adagrad(k, s.value, s.gradient, state_of(0, s), s.size);
    }
    AdagradOptions o_;
};

}  // namespace attend::ATTEND_PRECISION
