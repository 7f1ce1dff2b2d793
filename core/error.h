#pragma once
/// Errors with both numbers in them (docs: `<where>: <rule>: <name> <value>, <name> <value>[; hint]`).
/// The class decides the process's exit code: Error 2 (usage, config, data, checkpoint), MachineError 1 (disk full, out of
/// memory, our own failure), Diverged 3.
#include <fmt/core.h>

#include <stdexcept>
#include <string>
#include <utility>

#include "core/real.h"

namespace attend::inline ATTEND_PRECISION {

/// Bad usage, config, data or checkpoint: the user can mend it.
class Error : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

/// The machine's failure or ours: disk full, out of memory, a broken promise inside the program.
class MachineError : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

/// Training produced a value that is not finite.
class Diverged : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

/// Throws Error with a formatted message.
template <class... Args>
[[noreturn]] void fail(fmt::format_string<Args...> text, Args&&... args) {
    throw Error(fmt::format(text, std::forward<Args>(args)...));
}

/// Throws Error with a formatted message unless `condition` holds. The check at the door of every public function.
template <class... Args>
void require(bool condition, fmt::format_string<Args...> text, Args&&... args) {
    if (!condition) [[unlikely]]
        throw Error(fmt::format(text, std::forward<Args>(args)...));
}

/// Throws MachineError unless a promise of our own holds.
template <class... Args>
void ensure(bool condition, fmt::format_string<Args...> text, Args&&... args) {
    if (!condition) [[unlikely]]
        throw MachineError(fmt::format(text, std::forward<Args>(args)...));
}

}  // namespace attend::inline ATTEND_PRECISION
