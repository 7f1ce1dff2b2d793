#pragma once
/// The linear family of attention as its recurrence says it, one position after the other, out of
/// elementwise ops and products. Arguments, shapes and results are those of core/ops/linear_attention.h.
#include <span>

#include "core/ops/linear_attention.h"

namespace attend::ATTEND_PRECISION::oracles {

LinearAttentionResult linear_attention_recurrence(const Tensor& q, const StateWrites& writes, const Tensor& state,
                                                  std::span<const int32_t> lengths, const LinearAttentionOptions& options);
Tensor write_states_recurrence(const StateWrites& writes, const Tensor& state, std::span<const int32_t> lengths,
                               const LinearAttentionOptions& options);
Tensor read_states_composite(const Tensor& q, const Tensor& state, const LinearAttentionOptions& options);

}  // namespace attend::ATTEND_PRECISION::oracles
