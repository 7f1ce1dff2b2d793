#include "core/base/trace.h"

namespace attend::trace {

namespace {
constinit thread_local const char* current_module = "";
constinit thread_local bool is_checked = false;
}  // namespace

Scope::Scope(const char* path) : before_(current_module) { current_module = path; }
Scope::~Scope() { current_module = before_; }

const char* module() { return current_module; }

Checked::Checked() : before_(is_checked) { is_checked = true; }
Checked::~Checked() { is_checked = before_; }

bool checked() { return is_checked; }

}  // namespace attend::trace
