#pragma once
#include <string_view>

#include "core/base/integers.h"

namespace attend {

/// Bytes of the white space character (as Unicode and Python see it) at `at`, 0 when there is none.
std::size_t space_at(std::string_view text, std::size_t at);

}  // namespace attend
