#pragma once
/// The linear family of attention: a state in place of a list of keys, one for each row and head.
/// With S_t [Kv, Kk], S_0 given or zero, and for every position t in order
///     S_t = alpha_t S_{t-1} (I - beta_t k_t k_t^T) + beta_t v_t k_t^T,    o_t = S_t q_t
/// where alpha is left out for 1 (nothing decays), and without beta nothing is erased:
///     S_t = alpha_t S_{t-1} + v_t k_t^T
/// The kinds of the literature, queries and keys already mapped by their feature functions:
///     linear       neither (Katharopoulos et al. 2020, section 3), usually with the normaliser
///     retention    alpha a constant of the head (Sun et al. 2023, eq. 6)
///     delta        beta (Schlag, Irie and Schmidhuber 2021; Yang, Wang, Zhang et al. 2024)
///     gated delta  both (Yang, Kautz and Hatamizadeh 2025, eq. 10)
///
/// The normaliser z_t = sum of the keys so far, o_t = S_t q_t / (z_t q_t) (Katharopoulos et al. 2020,
/// section 3.3), is one more row of the state: as if each v_t had a last element 1, whose output
/// divides the others. So z decays, is kept and continued as the rest is.
///
/// Positions are computed by chunks of 64, by matrix products; memory is linear in the length: what
/// is kept for the backward, beside inputs and output, is the state before each chunk.
#include <span>

#include "core/engine.h"

namespace attend::ATTEND_PRECISION {

/// What the positions of a sequence write.
struct StateWrites {
    Tensor keys;    ///< [B, T, G Kk]
    Tensor values;  ///< [B, T, G Kv]
    Tensor alpha;   ///< [B, T, G], how much of the state stays: meant for 0 ... 1; or undefined: 1
    Tensor beta;  ///< [B, T, G], how much of what a key finds is replaced: meant for 0 ... 1; or undefined: the value is added
};

/// Whether an output is divided by z q. It is 0 where that is 0.
enum class Normalise { no, yes };

struct LinearAttentionOptions {
    int64_t heads = 1;      ///< H, of the queries
    int64_t key_heads = 0;  ///< G, each with a state that H / G query heads in a row read; 0: H
    Normalise normalise = Normalise::no;
};

struct LinearAttentionResult {
    Tensor outputs;  ///< [B, T, H Kv], 0 after each row's length
    Tensor state;    ///< [B, G, Kv, Kk] after the row's last position; with the normaliser [B, G, Kv + 1, Kk]
};

/// Causal: position t writes, then its queries q [B, T, H Kk] read S_t. `state` [B, G, Kv (+ 1), Kk]
/// is the state before the first position, zeros when undefined. `lengths` holds B lengths or is
/// empty; positions after a row's length neither write nor read. The result's state, given to the
/// next call, continues the sequence: in parts or at once gives the same up to rounding.
/// Throws Error naming what does not fit.
LinearAttentionResult linear_attention(const Tensor& q, const StateWrites& writes, const Tensor& state,
                                       std::span<const int32_t> lengths, const LinearAttentionOptions& options);

/// The state alone, after all of each row's positions: for queries that read the whole sequence.
/// options.heads counts only where key_heads is 0.
Tensor write_states(const StateWrites& writes, const Tensor& state, std::span<const int32_t> lengths,
                    const LinearAttentionOptions& options);

/// Every query reads the same states: o_t = S q_t, divided with the normaliser. q [B, T, H Kk], state
/// [B, G, Kv (+ 1), Kk], output [B, T, H Kv]. Throws Error naming what does not fit.
Tensor read_states(const Tensor& q, const Tensor& state, const LinearAttentionOptions& options);

}  // namespace attend::ATTEND_PRECISION
