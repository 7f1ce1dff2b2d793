#pragma once
#include "core/base/random.h"
#include "core/kernels/kernel.h"

namespace attend::ATTEND_PRECISION::kernels {

/// y (=|+=) x keep / (1 - p) (Srivastava et al. 2014, scaled in training): element (i, j) is kept
/// when word j mod 4 of philox(draws.counter(i, j / 4), draws.key) is at least p 2^32. p is rounded
/// to float first, so both precisions keep the same elements. x, y [rows, columns], contiguous;
/// y.data may be x. p = 0 keeps all, p = 1 keeps none. The same call on dy is the backward.
extern Kernel<void(const real* x, real probability, const Draws& draws, Destination y, int64_t rows, int64_t columns)> dropout;

}  // namespace attend::ATTEND_PRECISION::kernels
