#pragma once
#include <cstddef>
#include <vector>

#include "core/base/integers.h"

namespace attend {

/// Attention weights of one example, row-major [rows, columns]: a row for a target symbol (eos
/// included), a column for a source symbol. No rows when nothing was collected.
struct AttentionRows {
    int64_t rows = 0;
    int64_t columns = 0;
    std::vector<float> weights;
    float at(int64_t row, int64_t column) const { return weights[static_cast<std::size_t>(row * columns + column)]; }
};

}  // namespace attend
