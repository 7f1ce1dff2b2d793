#pragma once
/// Errors, whose messages have one form (docs: `<where>: <rule>: <name> <value>, <name> <value>[;
/// hint]`). The class decides the process's exit code: Error 2 (usage, config, data, checkpoint),
/// MachineError 1 (disk full, out of memory, our own failure), Diverged 3.
#include <fmt/core.h>

#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

#include "core/base/integers.h"

namespace attend {

/// Bad usage, config, data or checkpoint: the user can fix it.
class Error : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

/// The machine's failure or ours: disk full, out of memory, a broken promise inside the program.
class MachineError : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

/// Where checked mode (core/base/trace.h) met the first value that is not finite.
struct NotFinite {
    std::string module;  ///< path of the module; the parameter's name where its gradient was it; "graph" outside of any
    std::string what;    ///< "output" or "gradient"
    std::string op;
    int64_t element = 0, elements = 0;  ///< the first of so many
    double value = 0;
};

/// Training produced a value that is not finite.
class Diverged : public std::runtime_error {
  public:
    explicit Diverged(const std::string& message, std::optional<NotFinite> found = {})
        : std::runtime_error(message), found_(std::move(found)) {}
    /// None where no single op made it.
    const std::optional<NotFinite>& found() const { return found_; }

  private:
    std::optional<NotFinite> found_;
};

/// Throws Error with a formatted message.
template <class... Args>
[[noreturn]] void fail(fmt::format_string<Args...> text, Args&&... args) {
    throw Error(fmt::format(text, std::forward<Args>(args)...));
}

/// Throws Error with a formatted message unless `condition` holds. Every public function checks its
/// arguments with it.
template <class... Args>
void require(bool condition, fmt::format_string<Args...> text, Args&&... args) {
    if (!condition) [[unlikely]]
        throw Error(fmt::format(text, std::forward<Args>(args)...));
}

/// Throws MachineError unless something that this program promises itself is true.
template <class... Args>
void ensure(bool condition, fmt::format_string<Args...> text, Args&&... args) {
    if (!condition) [[unlikely]]
        throw MachineError(fmt::format(text, std::forward<Args>(args)...));
}

}  // namespace attend
