#include "core/kernels/dropout.h"

#include <algorithm>

#include "core/kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/dropout.cpp"
#include "hwy/foreach_target.h"
// After foreach_target.h.
#include "core/kernels/philox-inl.h"
#include "core/kernels/vector-inl.h"

HWY_BEFORE_NAMESPACE();
namespace attend::ATTEND_PRECISION::kernels::HWY_NAMESPACE {

void dropout(const real* x, real probability, const Draws& draws, Destination y, int64_t rows, int64_t columns) {
    if (static_cast<float>(probability) >= 1)
        return write_zero(y, rows * columns);
    const Dropping dropping(probability);
    const RoundKeys keys(draws.key);
    HWY_ALIGN uint32_t words[drawn];
    for (int64_t row = 0; row < rows; ++row) {
        for (int64_t j = 0; j < columns; j += drawn) {
            philox_words(draws.counter(row, j / 4), keys, words);
            const int64_t first = row * columns + j;
            write(at(y, first), std::min(drawn, columns - j),
                  [=, &words](auto part, int64_t i) HWY_ATTR { return dropping.of(part.load(x + first + i), words + i); });
        }
    }
}

}  // namespace attend::ATTEND_PRECISION::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace attend::ATTEND_PRECISION::kernels {

ATTEND_KERNEL(dropout);

}  // namespace attend::ATTEND_PRECISION::kernels
#endif
