#pragma once
/// Attention by a state: what the kinds of the linear family share (attention_linear.cpp, attention_retention.cpp,
/// attention_delta.cpp, attention_gated_delta.cpp). Positions write their keys and values into a state, one for each head, and
/// queries read it (core/ops/linear_attention.h). There are no weights: so no maps, no sites, and a block's dropout of weights
/// drops nothing (that of its embeddings and parts does). Generation keeps the state alone, of the same size at any length.
///
/// A decoder's own positions read the state after their own writing. An encoder's positions, and queries of a source, read the
/// state after the last position: with a decay or with the delta rule, what came late counts more.
#include <functional>
#include <memory>
#include <optional>
#include <span>

#include "core/ops/linear_attention.h"
#include "nn/attention/kind.h"

namespace attend::ATTEND_PRECISION {

/// What a position does with the value that its key finds: v k^T is added, or beta replaces a part.
enum class StateRule { add, replace };
/// Whether each head's output is divided by the root of its mean square, without a gain: what reads it is a linear layer.
enum class HeadNorm { no, yes };

/// What a kind of the family says.
struct StateKind {
    const char* name = "";
    Tensor (*query)(const Tensor&) = nullptr;  ///< features of queries [B, T, H, Kk]; null: as they are
    Tensor (*key)(const Tensor&) = nullptr;    ///< of keys [B, S, G, Kk]
    Normalise normalise = Normalise::no;
    StateRule rule = StateRule::add;               ///< replace: beta = sigmoid(W x), W = beta.weight [D, G]
    std::function<double(int64_t)> decay = {};     ///< alpha of state g, a constant; empty: 1
    std::optional<double> first_forget_bias = {};  ///< alpha = sigmoid(W x + b) instead, alpha.weight [D, G], alpha.bias [G]
                                                   ///< with this first value
    HeadNorm norm = HeadNorm::no;
};

/// silu(x) / |silu(x)| over the last axis, the features of the delta rule (Yang, Wang, Zhang et al. 2024):
/// I - beta k k^T then lets the rest of the state as it is.
Tensor unit_silu(const Tensor& x);

/// Options of every kind of the family.
struct StateOptions {
    int64_t width = 0;
    void fields(Visitor& v) {
        v.integer("width", width, {0, 65536, "auto"},
                  "width of a head's queries and keys; auto: the query's width, in a block that of its values");
    }
};

/// A kind of attention as its StateKind says; a row derives from it.
class StateAttention : public AttentionKind {
  public:
    StateAttention(StateKind kind, const StateOptions& options) : kind_(std::move(kind)), options_(options) {}
    /// One head. Parameters: `query` [Dq, A], `key` [Dm, A], A the option `width`; the values are the memory itself.
    /// Attendable::keys is the state [B, Dm (+ 1), A].
    std::unique_ptr<SourceAttention> to_source(const Scope& scope, const SourceSetup& setup) const override;
    /// H heads and G states. Parameters: self-attention `qkv` [D, H Kk + G (Kk + Kv)], else `query` [D, H Kk] and
    /// `key_value` [Dm, G (Kk + Kv)]; `out` [H Kv, D]. Throws Error when H does not divide the width, G does not divide H,
    /// or for rotary positions.
    std::unique_ptr<BlockAttention> in_block(const Scope& scope, const BlockAttentionSetup& setup,
                                             std::span<const Selection> heads) const override;

  private:
    StateKind kind_;
    StateOptions options_;
};

}  // namespace attend::ATTEND_PRECISION
