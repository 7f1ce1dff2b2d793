#pragma once
#include <vector>

#include "core/base/integers.h"
#include "train/evaluate/decode/attention_rows.h"

namespace attend {

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
