#pragma once
/// A few short rows of an experiment's data, for studies that need not see all of it.
#include "data/task.h"

namespace attend {

/// Lengths of the rows of a batch, of both sides; no sources: none.
struct Sides {
    Array<int32_t> source, target;
};
Sides sides_of(const Batch& batch);

/// The rows cut to these lengths, in as many columns as the longest needs and `more`; what is
/// padding is filled with `filler`.
Batch cut(const Batch& batch, const Sides& lengths, int64_t more = 0, int32_t filler = id_pad);

/// The first `rows` rows of a training batch, cut to `columns` symbols, and each a little shorter
/// than the one before, so that there is padding: of the first twenty batches the one whose rows
/// are the longest then. Where no targets are left, twice as many columns, and so on. Throws Error
/// where none of them has targets or labels at all.
Batch short_rows(const Task& task, const BatchOrder& order, int64_t rows, int64_t columns);

}  // namespace attend
