#pragma once
/// Multi-head attention (Vaswani et al. 2017, 3.2.2): the attention algebra on H projections of
/// queries, keys and values side by side, and their results joined. With fewer key-value heads than
/// query heads it is grouped-query attention (Ainslie et al. 2023), with one multi-query attention
/// (Shazeer 2019).
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/ops/attention.h"
#include "nn/attention/gate.h"
#include "nn/attention/head_group.h"
#include "nn/attention/kind.h"
#include "nn/layers.h"

namespace attend::ATTEND_PRECISION {

class MultiHead final : public BlockAttention {
  public:
    /// Parameters: self-attention `qkv` [D, (H + 2 G) K], else `query` [D, H K] and `key_value`
    /// [Dm, 2 G K]; `out` [H K, D]; those of gate.h and head_group.h where the options ask for them.
    /// Throws Error when H does not divide the width, G does not divide H, or the factors do not go
    /// together.
    MultiHead(const Scope& scope, std::span<const AttentionOptions> each, const BlockAttentionSetup& setup);
    /// All heads alike.
    MultiHead(const Scope& scope, const AttentionOptions& all, const BlockAttentionSetup& setup)
        : MultiHead(scope, std::vector<AttentionOptions>(static_cast<std::size_t>(setup.heads), all), setup) {}

    /// Self-attention of x [B, T, D] with B lengths.
    Output operator()(const Tensor& x, std::span<const int32_t> lengths, const Pass& pass) const override;
    /// Self-attention of the next positions x [B, n, D] to all so far; adds their keys and values
    /// to `past`, which is empty at first. Every row has the full length.
    Output extend(const Tensor& x, KeyValues& past, const Pass& pass) const override;
    /// Cross-attention: keys and values of memory [B, S, Dm], once; then queries x [B, T, D], the
    /// first at `position`.
    KeyValues prepare(const Tensor& memory, std::span<const int32_t> lengths) const override;
    Output operator()(const Tensor& x, const KeyValues& memory, int64_t position, const Pass& pass) const override;

    bool reads_distances() const override;
    std::vector<const HardChoice*> hard() const override;
    /// Its heads.
    Sites sites() const override;

    /// Computes head by head even where there is a fused kernel: the composite, with which tests
    /// compare it.
    void use_heads() { fused_.reset(); }

  private:
    // Queries, keys and values [B, T, (H + 2 G) K] of x; rotary positions turn queries and keys, the
    // first x at `position`.
    Tensor queries_keys_values(const Tensor& x, int64_t position, const Pass& pass) const;
    // What each head is given of queries [B, T, H K] and of keys and values.
    std::vector<HeadInput> inputs(const Tensor& queries, const KeyValues& memory, int64_t position) const;
    // Queries [B, T, H K] on keys and values, head by head: the composite.
    Output by_heads(const Tensor& queries, const KeyValues& memory, int64_t position, const Pass& pass) const;
    // What the biases of all heads need of x [B, S, D or Dm], side by side; undefined: nothing.
    Tensor places_of(const Tensor& x) const;
    // Self-attention of qkv [B, T, (H + 2 G) K], the queries', keys' and values' heads side by side.
    Output read_self(const Tensor& qkv, const Tensor& places, std::span<const int32_t> lengths, const Pass& pass) const;
    // Queries [B, T, H K] on keys and values, in the kernel or head by head.
    Output read(const Tensor& queries, const KeyValues& memory, int64_t position, const Pass& pass) const;
    enum class Own { no, yes };  // whether keys and values are of the queries' own positions
    void tell(const Tensor& queries, const KeyValues& memory, int64_t position, const Tensor& context, Own own,
              const Pass& pass) const;
    // What the layer makes of x [B, T, D], the input of its queries, and of what its heads read [B, T, H K].
    Tensor finished(const Tensor& x, const Tensor& contexts) const;
    // read(), and what the layer makes of it and x.
    Output attend(const Tensor& x, const Tensor& queries, const KeyValues& memory, int64_t position, const Pass& pass) const;
    // Lets the kernel compute what it can: heads with one window and one factor of their products.
    void fuse();
    // Whether the kernel can be used now: it does not keep the weights, so nobody may want to see
    // them; and its slopes go by positions that count 0, 1, 2 ...
    bool fuses(const Pass& pass) const {
        return fused_ && !pass.keeps_maps() && (pass.numbering == nullptr || fused_->alibi.empty());
    }
    FusedAttentionOptions fused_for(int64_t position, const Context& context) const;

    BlockAttentionSetup setup_;
    int64_t head_size_ = 0, parts_ = 1;  // parts: query_parts()
    Linear query_, key_value_, qkv_, out_;
    std::vector<Attention> heads_;
    std::unique_ptr<const HeadGroup> group_;  // null: each head reads by itself
    std::optional<OutputGate> gate_;
    RotaryTurns turns_;
    std::optional<FusedAttentionOptions> fused_;
    std::string path_;
};

}  // namespace attend::ATTEND_PRECISION
