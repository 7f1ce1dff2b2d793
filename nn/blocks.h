#pragma once
/// Transformer blocks (Vaswani et al. 2017, 3.1): self-attention, cross-attention in decoders with
/// a memory, and a feed-forward network, each with a residual connection, and with a norm before it
/// (pre) or after the sum (post).
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "nn/attention/kind.h"

namespace attend::ATTEND_PRECISION {

/// The options of blocks in every transformer's config. A model gives its own defaults.
struct BlockOptions {
    int64_t layers = 4;
    int64_t heads = 4;
    int64_t key_heads = 0;
    int64_t width = 128;
    int64_t ffn = 0;
    bool feed_forward = true;
    std::string activation = "gelu";
    std::string norm = "layer";
    std::string norm_place = "pre";
    double norm_epsilon = 1e-5;
    bool bias = true;
    double dropout = 0;
    double rotary_base = 10000;
    std::string rotary_pairs = "halves";
    bool recompute = false;
    void fields(Visitor& v);

    int64_t ffn_width() const { return ffn == 0 ? 4 * width : ffn; }
    Bias with_bias() const { return bias ? Bias::yes : Bias::no; }
};

/// Over the last axis, as the options say: layer norm, (x - mean) / sqrt(variance + epsilon) gain +
/// bias (Ba, Kiros and Hinton 2016), with `weight`, `bias` [D]; or RMS norm, gain x / sqrt(mean of
/// x^2 + epsilon) (Zhang and Sennrich 2019, eq. 4), with `weight` [D].
struct Norm {
    Norm() = default;
    Norm(const Scope& scope, const BlockOptions& options);
    Tensor operator()(const Tensor& x) const;

  private:
    bool rms_ = false;
    Tensor weight_, bias_;
    real epsilon_ = 0;
    std::string path_;
};

/// down(activation(up(x))): `up` [D, F], `down` [F, D] (Vaswani et al. 2017, eq. 2); with swiglu
/// `up` [D, 2 F] holds gate and value side by side (Shazeer 2020, eq. 6).
struct FeedForward {
    FeedForward() = default;
    FeedForward(const Scope& scope, const BlockOptions& options, const WeightInit& init, const WeightInit& down_init);
    Tensor operator()(const Tensor& x) const;

  private:
    Linear up_, down_;
    Tensor (*activation_)(const Tensor&) = nullptr;
    std::string path_;
};

/// First values of the weights: of linear layers, and of those that write to the residual stream.
struct BlockInit {
    WeightInit inner, residual;
};

/// What a block attends to besides its own sequence.
struct CrossOptions {
    const Pattern* attention = nullptr;  ///< null: nothing
    int64_t width = 0;                   ///< of the other sequence
};

/// Keys and values of the positions that a stack has read, layer by layer.
struct StackCache {
    std::vector<KeyValues> past, memory;
    StackCache select(std::span<const int32_t> rows) const;
};

/// A stack of blocks `NAME.0`, `NAME.1`, ... with parameters `self`, `cross`, `ffn` and
/// `self_norm`, `cross_norm`, `ffn_norm`; and for norm_place pre a last one, `norm`.
class BlockStack {
  public:
    BlockStack() = default;
    /// `rotary`, where positions are: their scaling, the rest is in the options. `first` says what its first self-attention's
    /// first head is: number, kind, and what its choices affect.
    BlockStack(const Scope& scope, const BlockOptions& options, const Pattern& self, const CrossOptions& cross,
               const BlockInit& init, const std::optional<RotaryOptions>& rotary, const Site& first);

    /// x [B, T, D] with B lengths; `memory` [B, S, Dm] with its lengths where the stack crosses to
    /// one.
    Output operator()(const Tensor& x, std::span<const int32_t> lengths, const Tensor& memory,
                      std::span<const int32_t> memory_lengths, const Pass& pass) const;
    /// Keys and values of a memory, for extend().
    StackCache begin(const Tensor& memory, std::span<const int32_t> lengths) const;
    /// The next positions x [B, n, D], all rows full.
    Output extend(const Tensor& x, StackCache& cache, const Pass& pass) const;

    /// Whether any self-attention's bias reads the distances of positions.
    bool reads_distances() const;
    /// The options of its heads that choose, block by block, self before cross.
    std::vector<const HardChoice*> hard() const;
    /// Its attentions: block by block, self before cross, head by head.
    Sites sites() const;

  private:
    struct Block {
        std::unique_ptr<BlockAttention> self, cross;  // no cross: null
        FeedForward ffn;
        Norm self_norm, cross_norm, ffn_norm;
        Dropout self_dropout, cross_dropout, ffn_dropout;
    };
    // x + dropout(part(norm(x))), or norm(x + dropout(part(x))).
    template <class F>
    Tensor residual(const Tensor& x, const Norm& norm, const Dropout& dropout, const Context& context, const F& part) const;

    BlockOptions options_;
    bool crosses_ = false;
    std::vector<Block> blocks_;
    Norm last_;
};

}  // namespace attend::ATTEND_PRECISION
