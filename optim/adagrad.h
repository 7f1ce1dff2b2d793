#pragma once
/// Adagrad (Duchi et al. 2011, the diagonal form) as torch.optim.Adagrad.
#include "optim/arena_optimizer.h"

namespace attend::ATTEND_PRECISION {

struct AdagradOptions : UpdateOptions {
    double learning_rate_decay = 0;
    double initial_sum = 0;
    double epsilon = 1e-10;
    AdagradOptions() : UpdateOptions(1e-2) {}
    void fields(Visitor& v) {
        rate_field(v);
        v.number("learning_rate_decay", learning_rate_decay, {0, 1000}, "step t (from 0) divides the rate by 1 + t times this");
        v.number("initial_sum", initial_sum, {0, 1e30}, "first value of the sums of squares");
        v.number("epsilon", epsilon, {1e-30, 1}, "added to the root of the sum of squares");
        decay_field(v);
    }
};

/// g' = g + weight_decay p;  s += g'^2 (from initial_sum);  with t from 0:
/// p -= learning_rate / (1 + t learning_rate_decay) g' / (sqrt(s) + epsilon)
class Adagrad final : public ArenaOptimizer<AdagradOptions> {
  public:
    Adagrad(const AdagradOptions& o, const ParameterStore& store) : ArenaOptimizer(o, store, {"square_sum"}) {
        fill_state(0, store, static_cast<real>(o.initial_sum));
    }

  private:
    void apply(const Segment& s, const UpdateStep& step) override {
        kernels::AdagradStep k{numbers(s, step), o_.epsilon};
        k.learning_rate /= 1 + static_cast<double>(step.step) * o_.learning_rate_decay;
        kernels::adagrad(k, s.value, s.gradient, state_of(0, s), s.size);
    }
};

}  // namespace attend::ATTEND_PRECISION
