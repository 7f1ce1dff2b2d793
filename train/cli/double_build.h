#pragma once
/// The double build of this program, which stands beside it: what computes gradients to compare executes it.
#include <filesystem>
#include <string>
#include <vector>

#include "core/real.h"

namespace attend::inline ATTEND_PRECISION::cli {

/// The double build in `folder`. Throws MachineError when it is not there or cannot be executed.
std::filesystem::path double_build_in(const std::filesystem::path& folder);

/// Becomes the double build beside this program, with these arguments (without the program's name). Returns never. Throws
/// MachineError as double_build_in(), and when the system refuses.
[[noreturn]] void become_double_build(const std::vector<std::string>& arguments);

}  // namespace attend::inline ATTEND_PRECISION::cli
