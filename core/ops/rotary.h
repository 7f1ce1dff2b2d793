#pragma once
#include <span>

#include "core/engine.h"
#include "core/kernels/rotary.h"

namespace attend::ATTEND_PRECISION {

using kernels::RotaryPairs;

/// How the angles of positions beyond those of training are brought into the range of training, which is `factor` times
/// shorter. Peng et al. 2023 ("YaRN") give all three in one notation.
enum class RotaryScaling {
    none,
    linear,  ///< every position is divided by the factor (position interpolation: Chen et al. 2023, 2.3)
    ntk,     ///< a larger base, so that the longest wave is stretched by the factor and the shortest one not at all (3.1)
    yarn,    ///< waves that are long beside `original` are stretched, short ones not; longer queries and keys (3.2 and 3.4)
};

/// What turns the pairs of a head.
struct RotaryOptions {
    double base = 10000;
    RotaryScaling scaling = RotaryScaling::none;
    double factor = 1;    ///< s: the length in use divided by that of training
    double original = 0;  ///< length of training, in positions; read by yarn alone
    double slow = 1;      ///< yarn's alpha: waves that turn less often than this within `original` are stretched
    double fast = 32;     ///< yarn's beta: those that turn more often stay as they are
};

/// The angle of a step from one position to the next, for each pair, and what turned vectors are multiplied by.
struct RotaryTurns {
    Array<double> frequencies;  ///< K/2
    double length = 1;
};

/// For heads of K columns: base^(-2i / K), scaled as the options say. With a factor of 1 every scaling has the bits of none.
/// Throws Error when K is odd or less than 2, the base is not positive, a factor is less than 1, `ntk` has one pair alone,
/// or yarn's lengths are not positive and ascending.
RotaryTurns rotary_turns(int64_t head_size, const RotaryOptions& options);

/// Rotary position embedding (Su et al. 2021, eq. 34): position t turns pair i < K/2 of each head by
/// the angle (first_position + t) base^(-2i / K). `pairs` says which elements of a head form pair i:
/// i and i + K/2, or 2i and 2i + 1. x [B, T, C]; the first `heads` blocks of `head_size` = K columns
/// are turned, the columns after them copied: so it acts on queries and keys of one packed tensor of
/// queries, keys and values. Output [B, T, C]. Throws Error when x does not have three axes, K is odd or less than 2,
/// the heads exceed C, a position is negative or base is not positive.
Tensor rotary(const Tensor& x, int64_t heads, int64_t head_size, int64_t first_position = 0, double base = 10000,
              RotaryPairs pairs = RotaryPairs::halves);
/// The same with turns of their own, and with the numbers of the positions: T of them for all rows alike, or B T. Turned
/// columns are multiplied by turns.length.
Tensor rotary(const Tensor& x, int64_t heads, const RotaryTurns& turns, std::span<const int32_t> positions, RotaryPairs pairs);
/// The same at positions first_position ... first_position + T - 1.
Tensor rotary(const Tensor& x, int64_t heads, const RotaryTurns& turns, int64_t first_position, RotaryPairs pairs);

}  // namespace attend::ATTEND_PRECISION
