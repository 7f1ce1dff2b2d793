#include "core/interruption.h"

namespace attend::inline ATTEND_PRECISION {

namespace {
constinit thread_local const Interruptible* innermost = nullptr;
}  // namespace

Interruptible::Interruptible(FunctionRef<bool()> asked) : asked_(asked), outer_(innermost) { innermost = this; }
Interruptible::~Interruptible() { innermost = outer_; }

void interruption_point() {
    if (innermost != nullptr && innermost->asked_())
        throw Interrupted();
}

}  // namespace attend::inline ATTEND_PRECISION
