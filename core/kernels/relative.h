#pragma once
#include "core/base/range.h"
#include "core/kernels/kernel.h"

namespace attend::ATTEND_PRECISION::kernels {

/// Sizes of relative positions: batch, queries and keys of each example; the farthest distance k
/// that is told apart; the place of query 0; key s is at position s.
struct RelativeSizes {
    int64_t batch = 0, queries = 0, keys = 0, distance = 0, first_position = 0;
    int64_t columns() const { return 2 * distance + 1; }
};

/// y[b, t, s] = scores[b, t, s] + products[b, t, clip(s - first - t, -k, k) + k] inside ranges[b *
/// queries + t] (null: all keys), = scores[b, t, s] outside (Shaw, Uszkoreit and Vaswani 2018, eq.
/// 4). scores, y [B, T, S], products [B, T, 2 k + 1]. y may be scores.
extern Kernel<void(RelativeSizes sizes, const real* scores, const real* products, const Range* ranges, real* y)>
    relative_scores;

/// dproducts[b, t, j] (=|+=) sum of dy[b, t, s] over the s of the range with clip(s - first - t,
/// -k, k) + k = j.
extern Kernel<void(RelativeSizes sizes, const real* dy, const Range* ranges, Destination dproducts)> relative_scores_backward;

}  // namespace attend::ATTEND_PRECISION::kernels
