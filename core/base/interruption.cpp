#include "core/base/interruption.h"

#include "core/base/temporary.h"

namespace attend {

namespace {
constinit thread_local const FunctionRef<bool()>* innermost = nullptr;
}  // namespace

Ended interruptibly(FunctionRef<bool()> asked, FunctionRef<void()> work) {
    const Temporary<const FunctionRef<bool()>*> here(innermost, &asked);
    try {
        work();
        return Ended::by_itself;
    } catch (const Interrupted&) {
        return Ended::interrupted;
    }
}

void interruption_point() {
    if (innermost != nullptr && (*innermost)())
        throw Interrupted();
}

}  // namespace attend
