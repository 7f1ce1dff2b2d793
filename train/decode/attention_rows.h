#pragma once
#include <cstddef>
#include <vector>

#include "core/real.h"

namespace attend::inline ATTEND_PRECISION {

/// Attention weights of one example, row-major [rows, columns]: a row for a target symbol (eos included), a column for a source
/// symbol. No rows when nothing was collected.
struct AttentionRows {
    int64_t rows = 0;
    int64_t columns = 0;
    std::vector<real> weights;
    real at(int64_t row, int64_t column) const { return weights[static_cast<std::size_t>(row * columns + column)]; }
};

}  // namespace attend::inline ATTEND_PRECISION
