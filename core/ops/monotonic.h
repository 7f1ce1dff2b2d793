#pragma once
/// Monotonic attention: in expectation, over positions that are read from left to right.
#include "core/base/ids.h"
#include "core/engine.h"

namespace attend::ATTEND_PRECISION {

/// The expected weights of monotonic attention (Raffel et al. 2017, eqs. 13 and 14): a query looks
/// at the positions from where the previous query stopped and stops at position j with probability
/// p_j:
///     q_j = (1 - p_{j-1}) q_{j-1} + previous_j,  y_j = p_j q_j
/// p [..., S] in [0, 1]; `previous`, of the same shape, are the weights of the previous query;
/// undefined: it stopped at the first position of each row's range. Output [..., S]; a row sums to
/// at most what its previous weights sum to: the rest is the probability to read to the end without
/// a stop. Computed as it stands, with no division and no product of many factors, so any p is
/// safe; one pass over S. `ranges`: empty, or one Range a row (rows counted over all leading axes):
/// positions outside get 0 and are not read, in p and in `previous`. Throws Error when the shapes
/// differ, p has no axis, the count of ranges is not that of the rows or one leaves the axis.
Tensor monotonic_alignment(const Tensor& p, const Tensor& previous, const Ranges& ranges = {});

/// Soft attention over chunks of `width` positions that end where a monotonic attention stops
/// (MoChA, Chiu and Raffel 2018, section 2.4):
///     y_j = sum_{k=j}^{j+width-1} stops_k e^{u_j} / sum_{l=k-width+1}^{k} e^{u_l}
/// stops [..., S]: the weights of monotonic_alignment; u [..., S]: the scores within a chunk;
/// output [..., S], whose rows have the sums of `stops`. A chunk is cut where the row's range
/// begins. Each chunk's softmax is computed by itself, relative to its largest score, so any u is
/// safe; S width steps. Throws Error as monotonic_alignment, and unless width >= 1.
Tensor chunkwise(const Tensor& stops, const Tensor& u, int64_t width, const Ranges& ranges = {});

}  // namespace attend::ATTEND_PRECISION
