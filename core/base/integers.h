#pragma once
/// The integers of fixed width by their short names.
#include <cstdint>

namespace attend {

using std::int32_t;
using std::int64_t;
using std::uint32_t;
using std::uint64_t;

}  // namespace attend
