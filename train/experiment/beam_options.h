#pragma once
/// Settings of the beam search (train/evaluate/decode/beam.h).
#include "core/base/integers.h"

namespace attend {

struct BeamOptions {
    int64_t beam = 1;           ///< outputs followed at the same time, 1 ... most_beam; 1: greedy
    double length_penalty = 0;  ///< alpha of length_penalty(), 0 ... 10
    int64_t nbest = 1;          ///< outputs to return for a source, at most; 1 ... beam
};
constexpr int64_t most_beam = 1024;

}  // namespace attend
