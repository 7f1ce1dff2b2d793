#include "core/ops.h"
#include "nn/attention/state_attention.h"

namespace attend::ATTEND_PRECISION {

namespace {

// elu(x) + 1 = x + 1 above 0, e^x below
Tensor elu_plus_one(const Tensor& x) { return exp(-relu(-x)) + relu(x); }

/// S_t = S_{t-1} + v_t phi(k_t)^T,  z_t = z_{t-1} + phi(k_t),  o_t = S_t phi(q_t) / (z_t . phi(q_t)),  phi(x) = elu(x) + 1:
/// the mean of the values with weights phi(q_t) . phi(k_s)   (Katharopoulos, Vyas, Pappas and Fleuret 2020, sections 3.2
/// and 3.3; phi is eq. 7)
class LinearKind final : public StateAttention {
  public:
    explicit LinearKind(const StateOptions& o)
        : StateAttention({.name = "linear", .query = elu_plus_one, .key = elu_plus_one, .normalise = Normalise::yes}, o) {}
};

}  // namespace

AttentionTable::Row attention_linear() {
    return AttentionTable::row<LinearKind, StateOptions>(
        "linear", "a state of sums v phi(k)^T that queries read, phi = elu + 1: no weights, no maps (Katharopoulos 2020)");
}

}  // namespace attend::ATTEND_PRECISION
