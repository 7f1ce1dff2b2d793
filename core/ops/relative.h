#pragma once
#include "core/base/ids.h"
#include "core/engine.h"

namespace attend::ATTEND_PRECISION {

/// Scores with relative positions added (Shaw, Uszkoreit and Vaswani 2018, eq. 4): y[b, t, s] =
/// scores[b, t, s] + products[b, t, clip(s - first_position - t, -k, k) + k]. scores [B, T, S];
/// products [B, T, 2 k + 1], a number for each distance from -k to k (queries times a table of
/// distances, that is); key s is at s, query t at first_position + t. Output [B, T, S]. `ranges`:
/// empty, or one Range for each of the B * T rows, outside of which the scores are left as they
/// are. No one-hot product: one addition a score. Throws Error when shapes do not fit, the last
/// axis of products is even, ranges are not one a row or leave the keys, or the position is
/// negative.
Tensor relative_scores(const Tensor& scores, const Tensor& products, int64_t first_position, const Ranges& ranges = {});

}  // namespace attend::ATTEND_PRECISION
