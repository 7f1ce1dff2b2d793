#pragma once
/// What a caller tells a module: training or evaluation, and the random draws. An argument, never a
/// global.
#include "core/base/random.h"
#include "core/parameters.h"
#include "core/real.h"

namespace attend::ATTEND_PRECISION {

enum class Mode { train, evaluate };

struct Context {
    Mode mode = Mode::evaluate;
    uint64_t seed = 0;
    uint32_t step = 0;      ///< training step, from 0
    uint32_t sample = 0;    ///< distinguishes passes over the same rows
    int64_t first_row = 0;  ///< this shard's first row in the whole batch
    StateUpdates* updates = nullptr;

    bool training() const { return mode == Mode::train; }
    /// Draws of the module whose path hashes to `path`; `call` is the time or call index.
    Draws draws(uint64_t path, uint32_t call) const { return Draws{stream_key(seed, path), step, call, sample, first_row}; }
};

}  // namespace attend::ATTEND_PRECISION
