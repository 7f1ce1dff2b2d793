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
#include "core/ops/rotary.h"
#include "nn/attention/attention.h"
#include "nn/layers.h"

namespace attend::ATTEND_PRECISION {

/// Keys and values of a sequence, projected: what queries of any number can attend to.
struct KeyValues {
    Tensor packed;           ///< [B, S, 2 G K]: the keys of G heads, then their values
    Array<int32_t> lengths;  ///< B
    Tensor places = {};      ///< [B, S, P] what the heads' biases need of the memory, side by side; or undefined
    /// The rows of that number, in that order.
    KeyValues select(std::span<const int32_t> rows) const;
};

struct MultiHeadSetup {
    int64_t width = 0;      ///< D of the queries' side, and of the result
    int64_t memory = 0;     ///< Dm of what is attended to; 0: self-attention
    int64_t heads = 1;      ///< H; the head size is K = D / H
    int64_t key_heads = 0;  ///< G, 0: H
    Bias bias = Bias::yes;
    double dropout = 0;      ///< of the weights
    double rotary_base = 0;  ///< base of rotary positions (Su et al. 2021); 0: none
    RotaryPairs rotary_pairs = RotaryPairs::halves;
    WeightInit init, out_init;
    Site site = {};  ///< of its first head; the others have the numbers that follow
};

class MultiHead {
  public:
    MultiHead() = default;
    /// Parameters: self-attention `qkv` [D, (H + 2 G) K], else `query` [D, H K] and `key_value`
    /// [Dm, 2 G K]; `out` [H K, D]. Throws Error when H does not divide the width, G does not
    /// divide H, or the factors do not go together.
    MultiHead(const Scope& scope, const AttentionOptions& options, const MultiHeadSetup& setup);

    /// Self-attention of x [B, T, D] with B lengths.
    Output operator()(const Tensor& x, std::span<const int32_t> lengths, const Pass& pass) const;
    /// Self-attention of the next positions x [B, n, D] to all so far; adds their keys and values
    /// to `past`, which is empty at first. Every row has the full length.
    Output extend(const Tensor& x, KeyValues& past, const Pass& pass) const;
    /// Cross-attention: keys and values of memory [B, S, Dm], once; then queries x [B, T, D], the
    /// first at `position`.
    KeyValues prepare(const Tensor& memory, std::span<const int32_t> lengths) const;
    Output operator()(const Tensor& x, const KeyValues& memory, int64_t position, const Pass& pass) const;

    /// The options of its heads' hard selection; null where they choose nothing.
    const HardChoice* hard() const { return heads_.empty() ? nullptr : heads_.front().select->hard(); }
    /// Its heads.
    Sites sites() const;

    /// Computes head by head even where there is a fused kernel: the composite, with which tests
    /// compare it.
    void use_heads() { fused_.reset(); }

  private:
    // Queries, keys and values [B, T, (H + 2 G) K] of x; rotary positions turn queries and keys, the
    // first x at `position`.
    Tensor queries_keys_values(const Tensor& x, int64_t position) const;
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
    // read(), and what the layer `out` makes of it.
    Output attend(const Tensor& queries, const KeyValues& memory, int64_t position, const Pass& pass) const;
    // Whether the kernel can be used now: it does not keep the weights, so nobody may want to see
    // them.
    bool fuses(const Pass& pass) const { return fused_ && !pass.keeps_maps(); }
    FusedAttentionOptions fused_for(int64_t position, const Context& context) const;

    MultiHeadSetup setup_;
    int64_t head_size_ = 0;
    Linear query_, key_value_, qkv_, out_;
    std::vector<Attention> heads_;
    std::optional<FusedAttentionOptions> fused_;
    std::string path_;
};

/// The factors of scaled dot-product attention with this window: the defaults of transformers.
AttentionOptions transformer_attention(const std::string& window);

}  // namespace attend::ATTEND_PRECISION
