#pragma once
/// RMSprop (Tieleman and Hinton 2012, lecture 6.5) as torch.optim.RMSprop; centered: Graves 2013, eq. 38 to 45.
#include "core/kernels/update.h"
#include "optim/arena_optimizer.h"

namespace attend::ATTEND_PRECISION {

struct RmspropOptions {
    double learning_rate = 1e-2;
    double alpha = 0.99;
    double momentum = 0;
    bool centered = false;
    double epsilon = 1e-8;
    double weight_decay = 0;
    void fields(Visitor& v) {
        v.number("learning_rate", learning_rate, {0, 1000}, "peak learning rate");
        v.number("alpha", alpha, {0, below_one}, "share of the running squares kept a step");
        v.number("momentum", momentum, {0, below_one}, "share of the buffer of steps kept from step to step");
        v.flag("centered", centered, "divide by the root of the variance, not of the mean square");
        v.number("epsilon", epsilon, {1e-30, 1}, "added to the root");
        v.number("weight_decay", weight_decay, {0, 1000},
                 "adds this times the weights to the gradient (two or more dimensions)");
    }
};

/// g' = g + weight_decay p;  a = alpha a + (1 - alpha) g'^2;  d = g' / (sqrt(a) + epsilon), centered: with
/// m = alpha m + (1 - alpha) g' and a - m^2 under the root;  b = momentum b + d;  p -= learning_rate b
class Rmsprop final : public ArenaOptimizer {
  public:
    /// Throws Error when alpha or momentum is not below 1, or epsilon not above 0.
    Rmsprop(const RmspropOptions& o, const ParameterStore& store) : ArenaOptimizer(store, names(o)), o_(o) {
        require(o.alpha >= 0 && o.alpha <= below_one, "optimizer rmsprop: alpha out of range: alpha {}, allowed 0 to {}",
                o.alpha, below_one);
        require(o.momentum >= 0 && o.momentum <= below_one,
                "optimizer rmsprop: momentum out of range: momentum {}, allowed 0 to {}", o.momentum, below_one);
        require(static_cast<real>(o.epsilon) > 0, "optimizer rmsprop: epsilon must be above 0: epsilon {}, least 1e-30",
                o.epsilon);
    }
    double learning_rate() const override { return o_.learning_rate; }

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
        kernels::RmspropStep k;
        k.gradient_scale = step.gradient_scale;
        k.learning_rate = step.learning_rate;
        k.weight_decay = s.decays ? o_.weight_decay : 0;
        k.alpha = o_.alpha;
        k.momentum = o_.momentum;
        k.epsilon = o_.epsilon;
        kernels::rmsprop(k, s.value, s.gradient, state_of(0, s), o_.centered ? state_of(1, s) : nullptr,
                         o_.momentum > 0 ? state_of(o_.centered ? 2 : 1, s) : nullptr, s.size);
    }
    RmspropOptions o_;
};

}  // namespace attend::ATTEND_PRECISION
