#pragma once
/// Fused parts of attention.
#include "core/base/ids.h"
#include "core/base/random.h"
#include "core/engine.h"

namespace attend::ATTEND_PRECISION {

/// Additive scores (Bahdanau, Cho and Bengio 2015, A.1.2): score[b, t, s] = sum_a v_a tanh(query[b,
/// t, a] + keys[b, s, a]); query [B, T, A], keys [B, S, A], v [A], output [B, T, S]. `ranges`:
/// empty, or one Range for each of the B * T rows, outside of which the score is 0 and no work is
/// done. The tanh is computed again in the backward: nothing of size B T S A is kept. Throws Error
/// naming the shapes that do not fit.
Tensor additive_score(const Tensor& query, const Tensor& keys, const Tensor& v, const Ranges& ranges = {});

/// What multi-head attention by scaled products is told.
struct FusedAttentionOptions {
    int64_t heads = 1;           ///< H
    int64_t key_heads = 0;       ///< G, each read by H / G query heads in a row (Ainslie et al. 2023; 1: Shazeer 2019); 0: H
    real scale = 0;              ///< of query times key; 0: 1 / sqrt(K)
    Array<real> alibi;           ///< a slope a head: adds -slope (query position - key position) (Press et al. 2022); or empty
    int64_t first_position = 0;  ///< position of the first query; key s is at position s; only alibi reads it
    real dropout = 0;            ///< probability that a weight is dropped, 0 ... 1 (not 1 itself); the rest is scaled up
    Draws draws;                 ///< where dropout draws
};

/// Multi-head attention of a sequence to itself (Vaswani et al. 2017, eq. 1), fused: scores,
/// ranges, softmax, dropout and read by tiles with running maximum and sum (Milakov and Gimelshein
/// 2018; Dao et al. 2022), so that memory is linear in the length. qkv [B, T, (H + 2G) K]: in a row
/// the queries of H heads, the keys of G, the values of G, K columns each, as one product with
/// packed weights gives them; K follows from the shape. Output [B, T, H K]. The heads are read in
/// place.
///
/// `ranges`: empty, or one Range for each of the B * T queries: the keys it sees (causal: {0, t +
/// 1}; padding: {0, length}; sliding windows). Tiles outside of all ranges cost nothing; an empty
/// range gives zeros and no gradient. The backward computes the weights again from one saved number
/// a query and head. What is outside a query's range must be finite and changes no bit of its
/// output. The dropout mask of a weight is a function of (row in the whole batch, head, t, s): it
/// depends neither on tiles nor on padding.
///
/// Throws Error when the last axis does not divide into H + 2G equal heads, H % G is not 0, the
/// ranges are not one a query or leave the keys, alibi does not have H slopes, dropout is not in [0, 1),
/// or T > 65,536 or S > 262,144 with dropout.
Tensor self_attention(const Tensor& qkv, const FusedAttentionOptions& options, const Ranges& ranges = {});

/// The same with queries of one sequence and keys and values of another: q [B, T, H K], kv [B, S, 2
/// G K] (keys, then values), output [B, T, H K]. Throws Error also when the batches or head sizes
/// of q and kv differ.
Tensor cross_attention(const Tensor& q, const Tensor& kv, const FusedAttentionOptions& options, const Ranges& ranges = {});

}  // namespace attend::ATTEND_PRECISION
