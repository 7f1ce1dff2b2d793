#pragma once
/// Stochastic gradient descent with momentum, as torch.optim.SGD: "On the importance of
/// initialization and momentum in deep learning" (Sutskever et al. 2013) in the form where the
/// learning rate multiplies the buffer.
#include "optim/arena_optimizer.h"

namespace attend::ATTEND_PRECISION {

struct SgdOptions : UpdateOptions {
    double momentum = 0;
    double dampening = 0;
    bool nesterov = false;
    SgdOptions() : UpdateOptions(1e-3) {}
    void fields(Visitor& v) {
        rate_field(v);
        v.number("momentum", momentum, {0, below_one}, "share of the momentum buffer kept in a step");
        v.number("dampening", dampening, {0, 1}, "share of the gradient that does not enter the momentum buffer");
        decay_field(v);
        v.flag("nesterov", nesterov,
               "step along the gradient plus momentum times the new buffer (needs momentum, no dampening)");
    }
};

/// g' = g + weight_decay p;  b = momentum b + (1 - dampening) g' (first step: b = g');
/// p -= learning_rate b, with nesterov p -= learning_rate (g' + momentum b). Without momentum there
/// is no buffer.
class Sgd final : public ArenaOptimizer<SgdOptions> {
  public:
    /// Throws Error for nesterov without momentum or with dampening.
    Sgd(const SgdOptions& o, const ParameterStore& store)
        : ArenaOptimizer(o, store, o.momentum > 0 ? std::vector<std::string>{"momentum"} : std::vector<std::string>{}) {
        require(!o.nesterov || (o.momentum > 0 && o.dampening == 0),
                "optimizer sgd: nesterov needs momentum above 0 and dampening 0: momentum {}, dampening {}", o.momentum,
                o.dampening);
    }

  private:
    void apply(const Segment& s, const UpdateStep& step) override {
        kernels::SgdStep k{numbers(s, step), o_.momentum, as_real(o_.dampening)};
        k.nesterov = o_.nesterov ? kernels::Nesterov::yes : kernels::Nesterov::no;
        k.first = step.step == 0 ? kernels::FirstStep::yes : kernels::FirstStep::no;
        kernels::sgd(k, s.value, s.gradient, o_.momentum > 0 ? state_of(0, s) : nullptr, s.size);
    }
};

}  // namespace attend::ATTEND_PRECISION
