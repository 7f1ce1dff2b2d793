#include "nn/attention/state_attention.h"

namespace attend::ATTEND_PRECISION {

namespace {

/// S_t = S_{t-1} + beta_t (v_t - S_{t-1} k_t) k_t^T,  o_t = S_t q_t: what the key finds is replaced, to the part
/// beta_t = sigmoid(W x_t); queries and keys are silu(.), then of length 1   (Schlag, Irie and Schmidhuber 2021, section 4.2;
/// Yang, Wang, Zhang et al. 2024, whose features these are)
class DeltaKind final : public StateAttention {
  public:
    explicit DeltaKind(const StateOptions& o)
        : StateAttention({.name = "delta", .query = unit_silu, .key = unit_silu, .rule = StateRule::replace}, o) {}
};

}  // namespace

AttentionTable::Row attention_delta() {
    return AttentionTable::row<DeltaKind, StateOptions>(
        "delta", "a state in which a value replaces what its key finds: no weights, no maps (Schlag 2021; Yang 2024)");
}

}  // namespace attend::ATTEND_PRECISION
