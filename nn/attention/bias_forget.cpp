#include "core/ops.h"
#include "nn/attention/bias.h"
#include "nn/layers.h"

namespace attend::ATTEND_PRECISION {

namespace {

struct ForgetOptions {
    double first = 4;
    void fields(Visitor& v) {
        v.number("first", first, {-1e2, 1e2}, "first value of the gate's bias; 4: a gate of 0.98, so that little is forgotten");
    }
};

/// e[t, s] + ln f_{s+1} + ... + ln f_t,  f_t = sigmoid(w . x_t + b)   (forgetting attention: Lin et al. 2025, eq. 4 to 6).
/// x is the layer's input; w, b = gate.weight [D, 1], gate.bias [1], of each head.
class ForgetBias final : public PositionBias {
  public:
    ForgetBias(const ForgetOptions& o, const Scope& scope, const BiasSetup& s)
        : weight_(scope.add("weight", {s.memory, 1}, Init::xavier(s.memory, 1))),
          bias_(scope.add("bias", {1}, Init::constant(o.first))) {}
    // ln sigmoid(z) = the first of log_softmax([z, 0])
    Tensor prepare(const Tensor& memory) const override {
        const Tensor z = linear(memory, weight_, bias_);
        return slice(log_softmax(concat({z, Tensor::zeros(z.shape())}, -1)), -1, 0, 1);
    }
    int64_t places() const override { return 1; }
    Tensor operator()(const Tensor& scores, const Call& call, const Ranges&) const override {
        const Tensor c = cumulative_sum(call.places);  // [B, S, 1]
        const Tensor own = slice(c, 1, call.position, call.position + call.queries());
        return scores + (own - transpose(c, 1, 2));
    }
    bool needs_position() const override { return true; }
    bool needs_causal() const override { return true; }

  private:
    Tensor weight_, bias_;
};

}  // namespace

BiasTable::Row bias_forget() {
    return BiasTable::row<ForgetBias, ForgetOptions>("forget",
                                                     "score + sum of ln f between key and query, f a gate (Lin 2025, eq. 4)");
}

}  // namespace attend::ATTEND_PRECISION
