#pragma once
/// What the kernels' headers are made of.
#include "core/destination.h"

namespace attend::ATTEND_PRECISION::kernels {

/// A kernel, called like a function: it runs what was compiled for this processor (targets.h).
template <class Signature>
using Kernel = Signature* const;

}  // namespace attend::ATTEND_PRECISION::kernels
