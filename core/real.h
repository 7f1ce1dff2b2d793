#pragma once
/// The one scalar type. The same sources are compiled twice: `real` is float in `attend`, double in `attend64` (gradient
/// checks). Everything lives in an inline namespace named by the precision, so the two builds cannot be linked together.
#include <cstdint>

#if defined(ATTEND_DOUBLE)
#define ATTEND_PRECISION f64
#else
#define ATTEND_PRECISION f32
#endif

namespace attend::inline ATTEND_PRECISION {

#if defined(ATTEND_DOUBLE)
using real = double;
#else
using real = float;
#endif

using std::int32_t;
using std::int64_t;
using std::uint32_t;
using std::uint64_t;

/// "f32" or "f64": the precision this build computes in.
constexpr const char* precision_name = sizeof(real) == 4 ? "f32" : "f64";

}  // namespace attend::inline ATTEND_PRECISION
