#pragma once
/// Where execution stands, for error messages: the module path and the checked mode. Thread-local;
/// it never changes a value (see docs/decisions.md).
#include "core/base/temporary.h"

namespace attend::trace {

/// Names the module for the ops run while it exists. The text must outlive it.
struct Scope : Temporary<const char*> {
    explicit Scope(const char* path);
};

/// Path of the innermost module, "" outside of any.
const char* module();

/// While one exists, every op's output and every gradient on this thread is tested, and the first
/// value that is not finite throws Diverged naming op and module.
struct Checked : Temporary<bool> {
    Checked();
};
bool checked();

}  // namespace attend::trace
