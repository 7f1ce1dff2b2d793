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

/// Whether positions on both sides of the query have buckets of their own, or only those before it.
enum class BucketSides { both, past };

/// The bucket of a distance, key position minus query position, 0 ... buckets - 1 (Raffel et al.
/// 2020, section 2.1). Half of the buckets hold one distance each: 0, 1, 2 ...; the others hold
/// ranges that grow logarithmically up to max_distance, from where on all distances share the last
/// one. BucketSides::past: all distances from 0 upwards share bucket 0. BucketSides::both: the rule with half
/// of the buckets for keys up to the query, and again for keys after it. Throws Error unless
/// buckets divide by 2 (both: by 4) and max_distance is more than the number of distances with a
/// bucket of their own.
int64_t distance_bucket(int64_t distance, int64_t buckets, int64_t max_distance, BucketSides sides);

/// Scores with a learned number for each bucket of distances added (Raffel et al. 2020): y[b, t, s]
/// = scores[b, t, s] + weight[distance_bucket(s - first_position - t)]. scores [B, T, S]; weight
/// [buckets], of one head; key s is at s, query t at first_position + t. Output [B, T, S].
/// `ranges`: empty, or one Range for each of the B * T rows, outside of which the scores are left
/// as they are. Throws Error when shapes do not fit, ranges are not one a row or leave the keys,
/// the position is negative, and as distance_bucket.
Tensor bucket_bias(const Tensor& scores, const Tensor& weight, int64_t max_distance, BucketSides sides, int64_t first_position,
                   const Ranges& ranges = {});

}  // namespace attend::ATTEND_PRECISION
