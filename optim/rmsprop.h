#pragma once
/// RMSprop (Tieleman and Hinton 2012, lecture 6.5) as torch.optim.RMSprop; centered: Graves 2013,
/// eq. 38 to 45.
#include "optim/arena_optimizer.h"

namespace attend::ATTEND_PRECISION {

struct RmspropOptions : UpdateOptions {
    double alpha = 0.99;
    double momentum = 0;
    bool centered = false;
    double epsilon = 1e-8;
    RmspropOptions() : UpdateOptions(1e-2) {}
    void fields(Visitor& v) {
        rate_field(v);
        v.number("alpha", alpha, {0, below_one}, "share of the running mean squares kept in a step");
        v.number("momentum", momentum, {0, below_one}, "share of the momentum buffer kept in a step");
        v.flag("centered", centered, "divide by the root of the variance, not of the mean square");
        v.number("epsilon", epsilon, {1e-30, 1}, "added to the root");
        decay_field(v);
    }
};

/// g' = g + weight_decay p;  a = alpha a + (1 - alpha) g'^2;  d = g' / (sqrt(a) + epsilon), centered: with
/// m = alpha m + (1 - alpha) g' and a - m^2 under the root;  b = momentum b + d;  p -= learning_rate b
class Rmsprop final : public ArenaOptimizer<RmspropOptions> {
  public:
    Rmsprop(const RmspropOptions& o, const ParameterStore& store) : ArenaOptimizer(o, store, names(o)) {}

  private:
    static std::vector<std::string> names(const RmspropOptions& o) {
        std::vector<std::string> all = {"square_average"};
        if (o.centered)
            all.emplace_back("gradient_average");
        if (o.momentum > 0)
            all.emplace_back("momentum");
        return all;
    }
    void apply(const Segment& s, const UpdateStep& step) override {
        const kernels::RmspropStep k{numbers(s, step), o_.alpha, o_.momentum, o_.epsilon};
        kernels::rmsprop(k, s.value, s.gradient, state_of(0, s), o_.centered ? state_of(1, s) : nullptr,
                         o_.momentum > 0 ? state_of(o_.centered ? 2 : 1, s) : nullptr, s.size);
    }
};

}  // namespace attend::ATTEND_PRECISION
