#pragma once
/// The sizes of a block's heads, for every kind of attention that has heads.
#include <string>

#include "core/base/error.h"
#include "nn/attention/kind.h"

namespace attend::ATTEND_PRECISION {

struct HeadSizes {
    int64_t heads = 1;      ///< H, of the queries
    int64_t key_heads = 1;  ///< G, of keys and values, each for H / G of them
    int64_t size = 0;       ///< K = D / H
};

/// Throws Error when H does not divide the width, or G does not divide H.
inline HeadSizes head_sizes(const std::string& path, const BlockAttentionSetup& s) {
    const int64_t h = s.heads, g = s.key_heads == 0 ? h : s.key_heads;
    require(s.width % h == 0, "{}: the number of heads must divide the width: width {}, heads {}", path, s.width, h);
    require(h % g == 0, "{}: the number of key-value heads must divide the number of heads: heads {}, key_heads {}", path, h,
            g);
    return {h, g, s.width / h};
}

}  // namespace attend::ATTEND_PRECISION
