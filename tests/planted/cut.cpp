/// The whole program with a planted library uses no vectors wider than AVX2's: with wider ones it
/// would ask no library.
#include "core/kernels/targets.h"
#include "hwy/highway.h"

namespace {
[[maybe_unused]] const bool cut = [] {
    hwy::DisableTargets(HWY_AVX3 | HWY_AVX3_DL);
    return true;
}();
}  // namespace
