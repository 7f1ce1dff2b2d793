#pragma once
#include "core/kernels/kernel.h"

namespace attend::ATTEND_PRECISION::kernels {

/// Which way the pairs turn: `forward` by the angle, `backward` by its negative (the transposed
/// rotation).
enum class Turn { forward, backward };

/// Sizes of a rotation: rows of `columns` elements, row r at position r mod `positions`; the first
/// heads * head_size columns are turned, the rest copied.
struct RotarySizes {
    int64_t rows = 0, positions = 0, columns = 0, heads = 0, head_size = 0;
};

/// Rotary position embedding (Su et al. 2021, eq. 34, with element i paired to i + K/2): for i <
/// K/2 and the angle of (t, i),
///     y_i (=|+=) x_i cos - x_(i + K/2) sin, y_(i + K/2) (=|+=) x_i sin + x_(i + K/2) cos.
/// cosines, sines [positions, K/2]. y.data may be x.
extern Kernel<void(RotarySizes sizes, const real* x, const real* cosines, const real* sines, Turn turn, Destination y)> rotary;

}  // namespace attend::ATTEND_PRECISION::kernels
