#include "nn/attention/state_attention.h"

namespace attend::ATTEND_PRECISION {

namespace {

struct GatedDeltaOptions : StateOptions {
    double first = 4;
    void fields(Visitor& v) {
        StateOptions::fields(v);
        v.number("first", first, {-1e2, 1e2}, "first value of the gate's bias; 4: a gate of 0.98, so that little is forgotten");
    }
};

/// S_t = alpha_t S_{t-1} (I - beta_t k_t k_t^T) + beta_t v_t k_t^T,  o_t = norm(S_t q_t),  alpha_t = sigmoid(W x_t + b),
/// beta_t = sigmoid(W' x_t): the delta rule with a gate that forgets; norm is the root mean square of each head   (Yang, Kautz
/// and Hatamizadeh 2025, eq. 10; their gate is that of Mamba 2, e^(-a softplus(W x_t + b)), which is this one for a = 1 and
/// the opposite W and b)
class GatedDeltaKind final : public StateAttention {
  public:
    explicit GatedDeltaKind(const GatedDeltaOptions& o)
        : StateAttention({.name = "gated_delta",
                          .query = unit_silu,
                          .key = unit_silu,
                          .rule = StateRule::replace,
                          .first_forget_bias = o.first,
                          .norm = HeadNorm::yes},
                         o) {}
};

}  // namespace

AttentionTable::Row attention_gated_delta() {
    return AttentionTable::row<GatedDeltaKind, GatedDeltaOptions>(
        "gated_delta", "the delta rule with a gate that forgets: no weights, no maps (Yang 2025, eq. 10)");
}

}  // namespace attend::ATTEND_PRECISION
