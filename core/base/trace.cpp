#include "core/base/trace.h"

namespace attend::trace {

namespace {
constinit thread_local const char* current_module = "";
constinit thread_local bool is_checked = false;
}  // namespace

Scope::Scope(const char* path) : Temporary(current_module, path) {}

const char* module() { return current_module; }

Checked::Checked() : Temporary(is_checked, true) {}

bool checked() { return is_checked; }

}  // namespace attend::trace
