#pragma once
#include "core/engine.h"
#include "core/kernels/rotary.h"

namespace attend::ATTEND_PRECISION {

using kernels::RotaryPairs;

/// Rotary position embedding (Su et al. 2021, eq. 34): position t turns pair i < K/2 of each head by
/// the angle (first_position + t) base^(-2i / K). `pairs` says which elements of a head form pair i:
/// i and i + K/2, or 2i and 2i + 1. x [B, T, C]; the first `heads` blocks of `head_size` = K columns
/// are turned, the columns after them copied: so it acts on queries and keys of one packed tensor of
/// queries, keys and values. Output [B, T, C]. Throws Error when x does not have three axes, K is odd or less than 2,
/// the heads exceed C, a position is negative or base is not positive.
Tensor rotary(const Tensor& x, int64_t heads, int64_t head_size, int64_t first_position = 0, double base = 10000,
              RotaryPairs pairs = RotaryPairs::halves);

}  // namespace attend::ATTEND_PRECISION
