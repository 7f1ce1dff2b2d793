#pragma once
/// Adam (Kingma and Ba 2015, algorithm 1) as torch.optim.Adam: weight decay is added to the
/// gradient.
#include <cmath>

#include "optim/arena_optimizer.h"

namespace attend::ATTEND_PRECISION {

/// Throws Error unless there are two betas. `name` stands in errors.
inline void require_two(const char* name, const std::vector<double>& betas) {
    require(betas.size() == 2, "optimizer {}: betas must be two numbers: given {}", name, betas.size());
}

struct AdamOptions : UpdateOptions {
    std::vector<double> betas = {0.9, 0.999};
    double epsilon = 1e-8;
    explicit AdamOptions(double rate = 1e-3, double decay = 0) : UpdateOptions(rate, decay) {}
    void fields(Visitor& v) {
        moment_fields(v);
        decay_field(v);
    }

  protected:
    void moment_fields(Visitor& v) {
        rate_field(v);
        v.numbers("betas", betas, {0, below_one}, true,
                  "shares of the running mean and of the running mean square kept in a step");
        v.number("epsilon", epsilon, {1e-30, 1}, "added to the root of the running mean square");
    }
};

/// Optimisers with the running moments m and v of Adam.
template <class O>
class AdamLike : public ArenaOptimizer<O> {
  public:
    AdamLike(const char* name, const O& o, const ParameterStore& store) : ArenaOptimizer<O>(o, store, {"m", "v"}) {
        require_two(name, o.betas);
    }

  protected:
    double beta1() const { return as_real(this->o_.betas[0]); }
    // The corrections are those of the betas as `real` holds them: 1 - 0.999f differs from 0.001 by
    // 1e-5 of it, and the first steps would carry that error.
    kernels::AdamStep moments(const Segment& s, const UpdateStep& step) const {
        const double t = static_cast<double>(step.step + 1), beta2 = as_real(this->o_.betas[1]);
        kernels::AdamStep k{this->numbers(s, step), 0, beta1(), beta2, as_real(this->o_.epsilon)};
        k.bias_correction1 = as_real(1 - std::pow(beta1(), t));
        k.bias_correction2 = as_real(1 - std::pow(beta2, t));
        return k;
    }
};

/// g' = g + weight_decay p;  m = b1 m + (1 - b1) g';  v = b2 v + (1 - b2) g'^2;  with t from 1:
/// p -= learning_rate / (1 - b1^t) m / (sqrt(v / (1 - b2^t)) + epsilon)
class Adam final : public AdamLike<AdamOptions> {
  public:
    Adam(const AdamOptions& o, const ParameterStore& store) : AdamLike("adam", o, store) {}

  private:
    void apply(const Segment& s, const UpdateStep& step) override {
        kernels::AdamStep k = moments(s, step);
        kernels::adam(k, s.value, s.gradient, state_of(0, s), state_of(1, s), s.size);
    }
};

}  // namespace attend::ATTEND_PRECISION
