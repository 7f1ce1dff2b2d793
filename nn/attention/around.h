#pragma once
/// Ranges around a place, for windows.
#include <algorithm>
#include <span>

#include "core/base/ids.h"

namespace attend {

/// For each of a row's `queries`, whose first is at `position`: the places from `before` before the query's own to
/// `after` after it, within the lengths.
inline Ranges ranges_around(std::span<const int32_t> lengths, int64_t queries, int64_t position, int64_t before,
                            int64_t after) {
    Ranges all;
    for (const int64_t length : lengths)
        for (int64_t own = position; own < position + queries; ++own) {
            const int64_t begin = std::clamp<int64_t>(own - before, 0, length),
                          end = std::clamp<int64_t>(own + after + 1, 0, length);
            all.push_back({static_cast<int32_t>(begin), static_cast<int32_t>(end)});
        }
    return all;
}

}  // namespace attend
