#pragma once
#include "core/kernels/kernel.h"

namespace attend::ATTEND_PRECISION::kernels {

/// Which way the pairs turn: `forward` by the angle, `backward` by its negative (the transposed
/// rotation).
enum class Turn { forward, backward };

/// Which elements of a head of K form pair i < K/2: i and i + K/2 (GPT-NeoX, Black et al. 2022, and
/// Llama as Hugging Face stores it), or 2i and 2i + 1 (Su et al. 2021, eq. 34).
enum class RotaryPairs { halves, neighbouring };

/// Sizes of a rotation: rows of `columns` elements, row r at position r mod `positions`; the first
/// heads * head_size columns are turned, the rest copied.
struct RotarySizes {
    int64_t rows = 0, positions = 0, columns = 0, heads = 0, head_size = 0;
    RotaryPairs pairs = RotaryPairs::halves;
};

/// Rotary position embedding (Su et al. 2021, eq. 34): for the pair (a, b) of number i < K/2 and
/// the angle of (t, i),
///     y_a (=|+=) x_a cos - x_b sin, y_b (=|+=) x_a sin + x_b cos.
/// cosines, sines [positions, K/2]. y.data may be x.
extern Kernel<void(RotarySizes sizes, const real* x, const real* cosines, const real* sines, Turn turn, Destination y)> rotary;

}  // namespace attend::ATTEND_PRECISION::kernels
