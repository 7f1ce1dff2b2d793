#pragma once
/// The scalar type of all computation. Sources that use it are compiled twice into one program: as
/// attend::f32, where `real` is float, and as attend::f64, where it is double (gradient checks, the
/// lab, replays). What does not use `real` is in namespace attend and compiled once. A source file
/// sees one of the two as if its names were attend's own: f64 where ATTEND_DOUBLE is defined, else
/// f32.
#include "core/base/integers.h"

#if defined(ATTEND_DOUBLE)
#define ATTEND_PRECISION f64
#else
#define ATTEND_PRECISION f32
#endif

namespace attend::ATTEND_PRECISION {

#if defined(ATTEND_DOUBLE)
using real = double;
#else
using real = float;
#endif

/// "f32" or "f64": the precision this build computes in.
constexpr const char* precision_name = sizeof(real) == 4 ? "f32" : "f64";

}  // namespace attend::ATTEND_PRECISION

namespace attend {
using namespace ATTEND_PRECISION;
}
