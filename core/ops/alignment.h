#pragma once
/// Ways to turn scores into weights, beside softmax and sparsemax (normalise.h).
///
/// `ranges` says which positions of the last axis each row sees: empty for all, or one Range a row,
/// rows counted over all leading axes. Outside its range a row's output and gradient are 0, and a
/// row with an empty range is 0. Every op throws Error when the count of ranges is not that of the
/// rows or a range leaves the axis.
#include "core/base/ids.h"
#include "core/engine.h"

namespace attend::ATTEND_PRECISION {

/// The 1.5-entmax of scale x over the last axis: the weights p that maximise p . scale x + sum (p -
/// p^1.5) / 0.75 (Peters, Niculae and Martins 2019, eq. 7 with alpha = 1.5), exact by sorting.
/// Weights of low scores are exactly 0, with gradient 0; at the edge of the support, where a weight
/// has just become 0, the gradient is that of the outside.
Tensor entmax15(const Tensor& x, const Ranges& ranges = {}, real scale = 1);
/// The same for any alpha, 1 < alpha <= 2: near 1 it is close to softmax, at 2 it is sparsemax.
/// Throws Error also for another alpha.
Tensor entmax(const Tensor& x, real alpha, const Ranges& ranges = {}, real scale = 1);

/// A softmax that may attend to nothing: y_s = e^(scale x_s) / (e^b + sum_k e^(scale x_k)), so a
/// row sums to less than 1. `sink` [1] is b: a learned score of a position without a value (as the
/// learned sinks of Xiao et al. 2024, where that position is a placeholder); undefined: b = 0,
/// softmax_one (Miller 2023). A row with an empty range is 0. Throws Error also for a sink of
/// another shape.
Tensor softmax_with_sink(const Tensor& x, const Tensor& sink, const Ranges& ranges = {}, real scale = 1);

/// The softmax of scale x over the k largest scale x of each row's range, 0 elsewhere (Gupta et al.
/// 2021). Of equal ones those of the lower index are kept. Throws Error also for k < 1.
Tensor top_softmax(const Tensor& x, int64_t k, const Ranges& ranges = {}, real scale = 1);

/// x inside of each row's range, 0 outside; the gradient too. Makes weights of elementwise
/// functions, which know no ranges: within(sigmoid(x), ranges).
Tensor within(const Tensor& x, const Ranges& ranges);

}  // namespace attend::ATTEND_PRECISION
