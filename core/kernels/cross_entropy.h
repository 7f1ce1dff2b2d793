#pragma once
#include "core/kernels/kernel.h"

namespace attend::ATTEND_PRECISION::kernels {

/// What a row's loss is made of.
struct CrossEntropy {
    int32_t ignored = -100;  ///< rows with this target have loss 0 and gradient 0
    real smoothing = 0;      ///< e of label smoothing (Szegedy et al. 2016), 0 ... 1
};

/// With p = softmax of a row of logits [rows, classes], V = classes, t its target:
///     row_loss = -(1 - e) ln p_t - e / V sum_k ln p_k,
/// and `logits` is overwritten with d(scale sum of the row losses) / d logits = scale (p_k - (1 -
/// e) [k = t] - e / V). row_loss [rows]; row_argmax [rows] is the first largest class of every row,
/// ignored ones included. Targets other than `ignored` must lie in 0 ... classes - 1 (the op
/// checks).
extern Kernel<void(real* logits, const int32_t* targets, CrossEntropy options, real scale, real* row_loss, int32_t* row_argmax,
                   int64_t rows, int64_t classes)>
    cross_entropy;

/// The same losses and argmax; the logits stay as they are.
extern Kernel<void(const real* logits, const int32_t* targets, CrossEntropy options, real* row_loss, int32_t* row_argmax,
                   int64_t rows, int64_t classes)>
    cross_entropy_forward;

}  // namespace attend::ATTEND_PRECISION::kernels
