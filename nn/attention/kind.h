#pragma once
/// How a model attends: rows of attention_table(), one file each (attention_NAME.cpp). `weighted` reads values with weights,
/// by a score, a bias, a window, an alignment and a selection (attention.h); the linear family writes keys and values into a
/// state and reads that; `none` reads nothing.
///
/// A kind makes two things: the attention of a decoder's steps to a source, and that inside of a transformer's block.
#include <memory>
#include <span>
#include <vector>

#include "core/base/pattern.h"
#include "core/ops/rotary.h"
#include "nn/attention/attention.h"

namespace attend::ATTEND_PRECISION {

/// What a decoder's attention to a source is built for.
struct SourceSetup {
    int64_t query = 0;   ///< Dq of the decoder's states
    int64_t memory = 0;  ///< Dm of the encoder's
    QueryKind kind;
    Site site = {};
};

/// The attention of a decoder's queries to a source, as the recurrent encoder-decoder has it.
class SourceAttention {
  public:
    virtual ~SourceAttention() = default;
    /// memory [B, S, Dm] with B lengths, once for any number of queries.
    virtual Attendable prepare(const Tensor& memory, std::span<const int32_t> lengths) const = 0;
    /// query [B, T, Dq], the first at `position`; `previous` is that of the step before, or empty.
    virtual Attended operator()(const Tensor& query, const Attendable& source, int64_t position, const Previous& previous,
                                const Pass& pass) const = 0;
    /// The weights alone [B, T, S], before any choice and without reading. Throws MachineError where there are none.
    virtual Tensor weigh(const Tensor& query, const Attendable& source, int64_t position, const Pass& pass) const;
    /// The options of its hard selection; null where it chooses nothing.
    virtual const HardChoice* hard() const { return nullptr; }
    /// Its sites: none where there are no weights.
    virtual Sites sites() const { return {}; }
};

/// What the queries of a block can attend to, prepared: of a source, or of the positions read so far.
struct KeyValues {
    Tensor packed = {};           ///< [B, S, 2 G K]: the keys of G heads, then their values
    Array<int32_t> lengths = {};  ///< B
    Tensor places = {};           ///< [B, S, P] what the heads' biases need of the memory, side by side; or undefined
    Tensor state = {};            ///< [B, G, Kv, Kk] of the linear family, in the place of keys and values
    int64_t positions = 0;        ///< read so far
    /// The rows of that number, in that order.
    KeyValues select(std::span<const int32_t> rows) const;
};

/// What the attention of a block is built for.
struct BlockAttentionSetup {
    int64_t width = 0;      ///< D of the queries' side, and of the result
    int64_t memory = 0;     ///< Dm of what is attended to; 0: self-attention
    int64_t heads = 1;      ///< H; the head size is K = D / H
    int64_t key_heads = 0;  ///< G, 0: H
    Bias bias = Bias::yes;
    double dropout = 0;      ///< of the weights
    double rotary_base = 0;  ///< base of rotary positions (Su et al. 2021); 0: none
    RotaryPairs rotary_pairs = RotaryPairs::halves;
    RotaryOptions rotary = {};  ///< its scaling; the base stands above
    WeightInit init, out_init;
    Site site = {};  ///< of its first head; the others have the numbers that follow

    /// Whether a position must not see those after it, which it predicts.
    bool causal() const { return site.kind == SiteKind::self; }
};

class BlockAttention {
  public:
    virtual ~BlockAttention() = default;
    /// Whether a bias reads the distances of positions.
    virtual bool reads_distances() const { return false; }
    /// Self-attention of x [B, T, D] with B lengths.
    virtual Output operator()(const Tensor& x, std::span<const int32_t> lengths, const Pass& pass) const = 0;
    /// Self-attention of the next positions x [B, n, D] to all so far; adds them to `past`, which is empty at first. Every row
    /// has the full length.
    virtual Output extend(const Tensor& x, KeyValues& past, const Pass& pass) const = 0;
    /// Cross-attention: memory [B, S, Dm] once; then queries x [B, T, D], the first at `position`.
    virtual KeyValues prepare(const Tensor& memory, std::span<const int32_t> lengths) const = 0;
    virtual Output operator()(const Tensor& x, const KeyValues& memory, int64_t position, const Pass& pass) const = 0;
    /// The options of the hard selection of each head that chooses.
    virtual std::vector<const HardChoice*> hard() const { return {}; }
    /// Its heads: none where there are no weights.
    virtual Sites sites() const { return {}; }
};

class AttentionKind {
  public:
    virtual ~AttentionKind() = default;
    /// Width of a context of a source that is Dm wide; 0: there is none, and the attention is not called.
    virtual int64_t context(int64_t memory) const { return memory; }
    virtual std::unique_ptr<SourceAttention> to_source(const Scope& scope, const SourceSetup& setup) const = 0;
    /// Throws Error for what makes no sense in such a block. `heads`, where they differ: the choice of each, all of this kind.
    virtual std::unique_ptr<BlockAttention> in_block(const Scope& scope, const BlockAttentionSetup& setup,
                                                     std::span<const Selection> heads) const = 0;
};

using AttentionTable = Table<std::unique_ptr<AttentionKind>()>;
/// Its fallback row is `weighted`.
const AttentionTable& attention_table();

/// The attention of layer `layer` of a stack. Throws Error where its heads are of different kinds, and as
/// AttentionKind::in_block.
std::unique_ptr<BlockAttention> attention_in_block(const Pattern& pattern, int64_t layer, const Scope& scope,
                                                   const BlockAttentionSetup& setup);
/// Throws Error unless all heads of a layer are alike: for kinds whose heads cannot differ.
void require_alike(const Scope& scope, std::span<const Selection> heads);

/// `weighted` with scaled dot products and this window: the default of transformers.
Selection transformer_attention(const std::string& window);
/// The factors of a choice of `weighted`; throws MachineError for another kind.
inline AttentionOptions& factors_of(Selection& attention) { return attention.as<AttentionOptions>(); }
/// Chooses a row of a factor for all layers and heads, which were alike.
void choose_factor(Pattern& attention, Selection AttentionOptions::*factor, const std::string& row);

}  // namespace attend::ATTEND_PRECISION
