#pragma once
#include "core/base/integers.h"

namespace attend {

/// Half-open interval of key positions a row of scores may see; begin == end means none.
struct Range {
    int32_t begin = 0;
    int32_t end = 0;
};

}  // namespace attend
