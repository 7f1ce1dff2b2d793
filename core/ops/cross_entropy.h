#pragma once
/// The output layer and its loss as one op: the largest matrix of a language model, [rows, V], is
/// made once, turned into its own gradient in place, and dropped.
#include <span>

#include "core/engine.h"
#include "core/gemm.h"

namespace attend::ATTEND_PRECISION {

struct CrossEntropyOptions {
    double normaliser = 1;       ///< the loss is the sum over rows divided by it
    double label_smoothing = 0;  ///< e: row loss = -(1 - e) ln p_target - e / V sum_k ln p_k (Szegedy et al. 2016)
    int32_t ignored = -1;        ///< rows with this target have no loss
};

struct CrossEntropyResult {
    Tensor loss;               ///< scalar, recorded
    Tensor row_loss;           ///< [rows] in nats, not recorded
    Array<int32_t> predicted;  ///< first most likely class of every row
};

/// Loss of logits = h W + bias: h [rows, D]; weight [D, V], or [V, D] with Transpose::yes (a tied
/// embedding); bias [V] or undefined; one target a row. Throws Error for sizes that differ, a
/// target that is neither a class nor ignored, a normaliser that is not positive, or smoothing
/// outside [0, 1).
CrossEntropyResult head_cross_entropy(const Tensor& h, const Tensor& weight, Transpose weight_transposed, const Tensor& bias,
                                      std::span<const int32_t> targets, const CrossEntropyOptions& options);

struct RowLosses {
    Tensor loss;               ///< [rows] in nats, recorded
    Array<int32_t> predicted;  ///< first most likely class of every row
};

/// The losses of the rows one by one, for objectives that weigh them by what the forward finds
/// (weights of a sum, or an advantage). options.normaliser is not used. Throws as above.
RowLosses head_row_losses(const Tensor& h, const Tensor& weight, Transpose weight_transposed, const Tensor& bias,
                          std::span<const int32_t> targets, const CrossEntropyOptions& options);

/// Loss of given logits [rows, V]; throws as above.
CrossEntropyResult cross_entropy(const Tensor& logits, std::span<const int32_t> targets, const CrossEntropyOptions& options);

}  // namespace attend::ATTEND_PRECISION
