#pragma once
#include "core/base/range.h"
#include "core/kernels/kernel.h"

namespace attend::ATTEND_PRECISION::kernels {

/// Sizes of an additive score: batch, queries and keys of each example, and the width of the
/// alignment layer.
struct ScoreSizes {
    int64_t batch = 0, queries = 0, keys = 0, width = 0;
};

/// Additive score (Bahdanau, Cho and Bengio 2015, A.1.2): scores[b, t, s] = sum_a v_a tanh(query[b,
/// t, a] + keys[b, s, a]), 0 outside ranges[b * queries + t] (null: all keys). query [B, T, A] and
/// keys [B, S, A] are the projections W s and U h; v [A]; scores [B, T, S]. Keys outside every
/// range are not read.
extern Kernel<void(ScoreSizes sizes, const real* query, const real* keys, const real* v, const Range* ranges, real* scores)>
    additive_score;

/// With d = dscores[b, t, s] inside the range and h = tanh(query + keys), recomputed:
///     dquery[b, t, a] (=|+=) sum_s d v_a (1 - h^2), dkeys[b, s, a] (=|+=) sum_t d v_a (1 - h^2), dv_a (=|+=) sum_bts d h.
/// Nothing of size B T S A is stored.
extern Kernel<void(ScoreSizes sizes, const real* query, const real* keys, const real* v, const Range* ranges,
                   const real* dscores, Destination dquery, Destination dkeys, Destination dv)>
    additive_score_backward;

}  // namespace attend::ATTEND_PRECISION::kernels
