#pragma once
/// The fused ops written out in elementwise ops, sums and matrix products: slow and obvious.
/// Arguments, shapes and results are those of the fused ops in core/ops/.
#include <span>

#include "core/ops.h"

namespace attend::ATTEND_PRECISION::oracles {

/// [rows, columns]: 1 inside each row's range and 0 outside; all 1 when `ranges` is empty.
Tensor mask_of(const Ranges& ranges, int64_t rows, int64_t columns);

/// e^(s x) m / sum e^(s x) m, with m the mask; a row that sees nothing is 0.
Tensor softmax_composite(const Tensor& x, const Ranges& ranges, real scale);
/// m (x - ln sum e^x m)
Tensor log_softmax_composite(const Tensor& x, const Ranges& ranges);
/// m_S (s x - (sum over S of s x - 1) / |S|), the support S found by sorting (Martins and Astudillo
/// 2016, algorithm 1).
Tensor sparsemax_composite(const Tensor& x, const Ranges& ranges, real scale);
/// gain (x - mean) / sqrt(mean of (x - mean)^2 + epsilon) + bias
Tensor layer_norm_composite(const Tensor& x, const Tensor& gain, const Tensor& bias, real epsilon);
/// gain x / sqrt(mean of x^2 + epsilon)
Tensor rms_norm_composite(const Tensor& x, const Tensor& gain, real epsilon);
/// x / 2 (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3)))
Tensor gelu_tanh_composite(const Tensor& x);
/// x sigmoid(x); and that of the first half of the columns times the second
Tensor silu_composite(const Tensor& x);
Tensor swiglu_composite(const Tensor& x);
/// x cos + J x sin with J (a, b) = (-b, a) on the halves of each head, as whole arrays
Tensor rotary_composite(const Tensor& x, int64_t heads, int64_t head_size, int64_t first_position, double base);
/// The same at numbers [B, T] of their own, with the angles of each pair written out for every scaling; halves
Tensor rotary_scaled_composite(const Tensor& x, int64_t heads, int64_t head_size, std::span<const int32_t> numbers,
                               const RotaryOptions& options);
/// The matrix of Su et al. 2021, eq. 15, written out for each position and multiplied: pairs (2i, 2i + 1)
Tensor rotary_matrix_composite(const Tensor& x, int64_t heads, int64_t head_size, int64_t first_position, double base);
/// sum_a v_a tanh(query + keys), all pairs at once
Tensor additive_score_composite(const Tensor& query, const Tensor& keys, const Tensor& v, const Ranges& ranges);
/// scores + products times one-hot columns of distances
Tensor relative_scores_composite(const Tensor& scores, const Tensor& products, int64_t first_position, const Ranges& ranges);
/// scores + the mask times the elements of weight that distance_bucket gives, score by score
Tensor bucket_bias_composite(const Tensor& scores, const Tensor& weight, int64_t max_distance, BucketSides sides,
                             int64_t first_position, const Ranges& ranges);
/// x / sqrt(sum x^2 + epsilon)
Tensor unit_rows_composite(const Tensor& x, real epsilon);
/// Columns of x between zeros, one number of places after the other
Tensor neighbours_composite(const Tensor& x, int64_t width);
/// Step after step added
Tensor cumulative_sum_composite(const Tensor& x);
/// Head by head out of slices, products and softmax; without dropout. Query positions follow
/// options.first_position.
Tensor cross_attention_composite(const Tensor& q, const Tensor& kv, const FusedAttentionOptions& options, const Ranges& ranges);
Tensor self_attention_composite(const Tensor& qkv, const FusedAttentionOptions& options, const Ranges& ranges);

/// x W + bias + plus as a matmul and two additions
Tensor linear_composite(const Tensor& x, const Tensor& weight, const Tensor& bias, const Tensor& plus);
/// The mean over rows of -(1 - e) ln p_target - e / V sum_k ln p_k, from log_softmax and pick
Tensor row_losses_composite(const Tensor& logits, std::span<const int32_t> targets, const CrossEntropyOptions& options);
Tensor cross_entropy_composite(const Tensor& logits, std::span<const int32_t> targets, const CrossEntropyOptions& options);
Tensor head_cross_entropy_composite(const Tensor& h, const Tensor& weight, Transpose weight_transposed, const Tensor& bias,
                                    std::span<const int32_t> targets, const CrossEntropyOptions& options);

Tensor gru_step_composite(const Tensor& x_projection, const Tensor& h, const Tensor& recurrent, const Tensor& bias);
LstmState lstm_step_composite(const Tensor& x_projection, const LstmState& state, const Tensor& recurrent, const Tensor& bias);
Tensor rnn_step_composite(const Tensor& x_projection, const Tensor& h, const Tensor& recurrent, const Tensor& bias);
GruLayerResult gru_layer_composite(const Tensor& x_projection, const Tensor& h, const Tensor& recurrent, const Tensor& bias,
                                   std::span<const int32_t> lengths, Direction direction);
LstmLayerResult lstm_layer_composite(const Tensor& x_projection, const LstmState& state, const Tensor& recurrent,
                                     const Tensor& bias, std::span<const int32_t> lengths, Direction direction);
RnnLayerResult rnn_layer_composite(const Tensor& x_projection, const Tensor& h, const Tensor& recurrent, const Tensor& bias,
                                   std::span<const int32_t> lengths, Direction direction);

}  // namespace attend::ATTEND_PRECISION::oracles
