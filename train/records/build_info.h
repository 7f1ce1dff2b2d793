#pragma once
/// What this program was built from.
#include <string>

#include "core/base/integers.h"

namespace attend {

/// "0.1.0", as CMakeLists.txt says.
const char* program_version();
/// The commit that was checked out when it was built, shortened; "" where the sources were under no
/// version control. What was changed since and not committed is not seen.
const char* program_commit();
/// Both: "0.1.0 90b090d67465".
std::string program_name();

}  // namespace attend
