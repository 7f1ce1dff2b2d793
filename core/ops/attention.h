#pragma once
/// Fused parts of attention.
#include "core/engine.h"
#include "core/ids.h"

namespace attend::inline ATTEND_PRECISION {

/// Additive scores (Bahdanau, Cho and Bengio 2015, A.1.2): score[b, t, s] = sum_a v_a tanh(query[b, t, a] + keys[b, s, a]);
/// query [B, T, A], keys [B, S, A], v [A], output [B, T, S]. `ranges`: empty, or one Range for each of the B * T rows, outside
/// of which the score is 0 and no work is done. The tanh is computed again in the backward: nothing of size B T S A is kept.
/// Throws Error naming the shapes that do not fit.
Tensor additive_score(const Tensor& query, const Tensor& keys, const Tensor& v, const Ranges& ranges = {});

}  // namespace attend::inline ATTEND_PRECISION
