#pragma once
/// Stochastic gradient descent with momentum, as torch.optim.SGD: "On the importance of initialization and momentum in deep
/// learning" (Sutskever et al. 2013) in the form where the learning rate multiplies the buffer.
#include "core/kernels/update.h"
#include "optim/arena_optimizer.h"

namespace attend::ATTEND_PRECISION {

struct SgdOptions {
    double learning_rate = 1e-3;
    double momentum = 0;
    double dampening = 0;
    double weight_decay = 0;
    bool nesterov = false;
    void fields(Visitor& v) {
        v.number("learning_rate", learning_rate, {0, 1000}, "peak learning rate");
        v.number("momentum", momentum, {0, below_one}, "share of the buffer kept from step to step");
        v.number("dampening", dampening, {0, 1}, "share of the gradient left out of the buffer");
        v.number("weight_decay", weight_decay, {0, 1000},
                 "adds this times the weights to the gradient (two or more dimensions)");
        v.flag("nesterov", nesterov,
               "step along the gradient plus momentum times the new buffer (needs momentum, no dampening)");
    }
};

/// g' = g + weight_decay p;  b = momentum b + (1 - dampening) g' (first step: b = g');
/// p -= learning_rate b, with nesterov p -= learning_rate (g' + momentum b). Without momentum there is no buffer.
class Sgd final : public ArenaOptimizer {
  public:
    /// Throws Error for nesterov without momentum or with dampening.
    Sgd(const SgdOptions& o, const ParameterStore& store)
        : ArenaOptimizer(store, o.momentum > 0 ? std::vector<std::string>{"momentum"} : std::vector<std::string>{}), o_(o) {
        require(!o.nesterov || (o.momentum > 0 && o.dampening == 0),
                "optimizer sgd: nesterov needs momentum above 0 and dampening 0: momentum {}, dampening {}", o.momentum,
                o.dampening);
    }
    double learning_rate() const override { return o_.learning_rate; }

  private:
    void apply(const Segment& s, const UpdateStep& step) override {
        kernels::SgdStep k;
        k.gradient_scale = static_cast<real>(step.gradient_scale);
        k.learning_rate = static_cast<real>(step.learning_rate);
        k.weight_decay = static_cast<real>(s.decays ? o_.weight_decay : 0);
        k.momentum = static_cast<real>(o_.momentum);
        k.dampening = static_cast<real>(o_.dampening);
        k.nesterov = o_.nesterov ? kernels::Nesterov::yes : kernels::Nesterov::no;
        k.first = step.step == 0 ? kernels::FirstStep::yes : kernels::FirstStep::no;
        kernels::sgd(k, s.value, s.gradient, o_.momentum > 0 ? state_of(0, s) : nullptr, s.size);
    }
    SgdOptions o_;
};

}  // namespace attend::ATTEND_PRECISION
