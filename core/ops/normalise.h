#pragma once
/// Softmax and its relatives over the last axis, layer and root-mean-square normalisation, dropout.
///
/// `ranges` says which positions of the last axis each row sees: empty for all, or one Range a row,
/// rows counted over all leading axes. Outside its range a row's output and gradient are 0 (never
/// an infinity), and a row with an empty range is 0.
#include "core/base/ids.h"
#include "core/base/random.h"
#include "core/engine.h"

namespace attend::ATTEND_PRECISION {

/// softmax(scale x) over the last axis. Throws Error when the count of ranges is not that of the
/// rows or a range leaves the axis.
Tensor softmax(const Tensor& x, const Ranges& ranges = {}, real scale = 1);
/// ln softmax(x) over the last axis; throws as softmax.
Tensor log_softmax(const Tensor& x, const Ranges& ranges = {});
/// The point of the probability simplex nearest to scale x (Martins and Astudillo 2016, eq. 2);
/// throws as softmax.
Tensor sparsemax(const Tensor& x, const Ranges& ranges = {}, real scale = 1);

/// gain (x - mean) / sqrt(variance + epsilon) + bias over the last axis (Ba, Kiros and Hinton
/// 2016); gain and bias [columns], each may be undefined. Throws Error when their sizes differ from
/// x's columns.
Tensor layer_norm(const Tensor& x, const Tensor& gain, const Tensor& bias, real epsilon);

/// gain x / sqrt(mean of x^2 + epsilon) over the last axis (Zhang and Sennrich 2019, eq. 4); gain
/// [columns] may be undefined. Throws Error when its size differs from x's columns or epsilon is
/// not positive.
Tensor rms_norm(const Tensor& x, const Tensor& gain, real epsilon);

/// x / sqrt(|x|^2 + epsilon) over the last axis, |x|^2 the sum of its squares: rows of length
/// almost 1, whose products are cosines. A row of zeros stays 0. Throws Error unless epsilon is
/// positive.
Tensor unit_rows(const Tensor& x, real epsilon = real{1e-6});

/// x with elements zeroed with `probability` and the rest divided by 1 - probability (Srivastava et
/// al. 2014). Row i of the leading axis draws as row draws.first_row + i of the whole batch. Throws
/// Error unless 0 <= probability < 1.
Tensor dropout(const Tensor& x, real probability, const Draws& draws);

}  // namespace attend::ATTEND_PRECISION
