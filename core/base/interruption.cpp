#include "core/base/interruption.h"

namespace attend {

namespace {
constinit thread_local const Interruptible* innermost = nullptr;
}  // namespace

Interruptible::Interruptible(FunctionRef<bool()> asked) : asked_(asked), here_(innermost, this) {}

Ended interruptibly(FunctionRef<bool()> asked, FunctionRef<void()> work) {
    const Interruptible here(asked);
    try {
        work();
        return Ended::by_itself;
    } catch (const Interrupted&) {
        return Ended::interrupted;
    }
}

void interruption_point() {
    if (innermost != nullptr && innermost->asked_())
        throw Interrupted();
}

}  // namespace attend
