#pragma once
/// What a call of a model is told: training or evaluation, the generator, taps and decisions. An argument, never a global.
#include <string>
#include <vector>

#include "core/parameters.h"
#include "core/random.h"
#include "core/tensor.h"

namespace attend::inline ATTEND_PRECISION {

enum class Mode { train, evaluate };

/// What a map's columns are: positions of a source, or of the sequence that the rows are of (self-attention).
enum class Columns { source, own };

/// One attention map: weights [B, T, S] of one site.
struct AttentionMap {
    std::string site;  ///< module path, for multi-head with the head's number
    int64_t step = 0;  ///< time index when the site ran one step at a time (then T = 1)
    Tensor weights;
    Columns columns = Columns::source;
};

/// Collects attention maps, in evaluation only, so looking never changes training bits.
struct Taps {
    std::vector<AttentionMap> maps;
};

/// One hard choice of a site at a step, for every row of the batch.
struct Decision {
    std::string site;
    int64_t step = 0;
    Array<int32_t> index;    ///< [B] chosen position, -1 where a row had none
    Tensor log_probability;  ///< [B], recorded
    Tensor entropy;          ///< [B], recorded
};

/// Collected decisions; with `forced` not empty, the choices to replay, in the order they were collected.
struct Decisions {
    std::vector<Decision> taken;
    std::vector<Array<int32_t>> forced;
};

struct Context {
    Mode mode = Mode::evaluate;
    uint64_t seed = 0;
    uint32_t step = 0;      ///< training step, from 0
    uint32_t sample = 0;    ///< sample number of an estimator
    int64_t first_row = 0;  ///< this shard's first row in the whole batch
    Taps* taps = nullptr;
    Decisions* decisions = nullptr;
    StateUpdates* updates = nullptr;

    bool training() const { return mode == Mode::train; }
    /// Draws of the module whose path hashes to `path`; `call` is the time or call index.
    Draws draws(uint64_t path, uint32_t call) const { return Draws{stream_key(seed, path), step, call, sample, first_row}; }
};

}  // namespace attend::inline ATTEND_PRECISION
