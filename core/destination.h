#pragma once
#include "core/real.h"

namespace attend::ATTEND_PRECISION {

/// Whether a kernel overwrites its destination or adds to it.
enum class Write { set, add };

/// Where a gradient goes: handed to backward functions by the engine, and by them to kernels.
struct Destination {
    real* data = nullptr;
    Write write = Write::set;
    /// gemm's beta.
    real beta() const { return write == Write::add ? real{1} : real{0}; }
};

}  // namespace attend::ATTEND_PRECISION
