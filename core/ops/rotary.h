#pragma once
#include "core/engine.h"

namespace attend::ATTEND_PRECISION {

/// Rotary position embedding (Su et al. 2021, eq. 34, in the form of GPT-NeoX and Llama: element i
/// of a head is paired with i + K/2): position t turns pair i by the angle (first_position + t)
/// base^(-2i / K). x [B, T, C]; the first `heads` blocks of `head_size` = K columns are turned, the
/// columns after them copied: so it acts on queries and keys of one packed tensor of queries, keys
/// and values. Output [B, T, C]. Throws Error when x does not have three axes, K is odd or less than 2,
/// the heads exceed C, a position is negative or base is not positive.
Tensor rotary(const Tensor& x, int64_t heads, int64_t head_size, int64_t first_position = 0, double base = 10000);

}  // namespace attend::ATTEND_PRECISION
