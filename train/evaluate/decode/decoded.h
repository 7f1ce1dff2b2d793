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

/// One output found for a source.
struct Decoded {
    std::vector<int32_t> ids;               ///< without bos and eos
    std::vector<double> log_probabilities;  ///< nats, of each id, and of eos if it came
    double log_likelihood = 0;              ///< their sum
    double score = 0;                       ///< what outputs are ranked by: the log-likelihood over the length penalty
    bool ended = false;                     ///< whether eos came before the limit
    AttentionRows attention;                ///< a row for each id and one for eos, if it came
};

enum class Collect { nothing, attention };

}  // namespace attend
