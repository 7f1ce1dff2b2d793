#pragma once
#include <initializer_list>

#include "core/real.h"

namespace attend::inline ATTEND_PRECISION {

/// Whether a kernel overwrites its destination or adds to it.
enum class Write { set, add };

/// Where a gradient goes: handed to backward functions by the engine, and by them to kernels.
struct Destination {
    real* data = nullptr;
    Write write = Write::set;
    /// gemm's beta.
    real beta() const { return write == Write::add ? real{1} : real{0}; }
};

/// Whether no two destinations are the same memory, so that one kernel may write them all in one pass. (They are the same
/// when one tensor is given to an op twice.)
inline bool distinct(std::initializer_list<Destination> all) {
    for (const Destination* a = all.begin(); a != all.end(); ++a)
        for (const Destination* b = a + 1; b != all.end(); ++b)
            if (a->data != nullptr && a->data == b->data)
                return false;
    return true;
}

}  // namespace attend::inline ATTEND_PRECISION
