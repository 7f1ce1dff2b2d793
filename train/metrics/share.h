#pragma once
/// Counts for metrics that are a share.
#include <cstdint>
#include <optional>

#include "core/real.h"

namespace attend::inline ATTEND_PRECISION {

struct Share {
    int64_t hits = 0, all = 0;
    void add(bool hit) {
        hits += hit ? 1 : 0;
        ++all;
    }
    std::optional<double> value() const {
        if (all == 0)
            return std::nullopt;
        return static_cast<double>(hits) / static_cast<double>(all);
    }
};

}  // namespace attend::inline ATTEND_PRECISION
