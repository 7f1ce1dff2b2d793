#pragma once
/// System calls that a signal may interrupt.
#include <cerrno>

#include "core/base/integers.h"

namespace attend {

/// Makes the call again as long as a signal interrupts it (EINTR), and gives its result. Not for close(): Linux has let go of
/// the descriptor also where that says EINTR.
template <class Call>
auto uninterrupted(Call call) {
    for (;;)
        if (const auto result = call(); result >= 0 || errno != EINTR)
            return result;
}

}  // namespace attend
