#pragma once
/// Batches of pairs of sequences, or of rows with a target for each position, bucketed by length.
#include "data/packed.h"
#include "data/task.h"

namespace attend {

/// Examples in a pool, in batches: the training order of an epoch is shuffled, cut into pools of
/// this many batches, each pool sorted by length and cut into batches, and the batches shuffled.
/// Larger pools pad less and mix less.
constexpr int64_t pool_batches = 16;

/// Batches of the pairs (source[i], target[i]); see Batch for the layout. `source` may be empty: no
/// sources.
///
/// Training order (order.shuffled) of epoch e is drawn from the stream (order.seed, "order.e"), so
/// it depends on nothing that was asked for before; batch number k is computable at any time.
/// Evaluation order is ascending by target length, then source length, then number. Every example
/// is in exactly one batch of an epoch; ceil(size / batch) batches, one of them possibly smaller.
///
/// The sequences must outlive the result. Throws Error when the counts of sources and targets
/// differ or the batch is not in 1 ... 2^20; at() throws Error for a negative number, or when there
/// are no examples.
std::unique_ptr<Batches> bucketed_batches(const Sequences& source, const Sequences& target, const BatchOrder& order);

/// Batches of rows without a source: Batch::input is input[i] and Batch::target target[i], of the
/// same length, as they are; nothing is put before or after them. The order and what is thrown are
/// those of bucketed_batches(), by the length of the row; and Error when a row has not one target
/// for each input.
std::unique_ptr<Batches> row_batches(const Sequences& input, const Sequences& target, const BatchOrder& order);

/// Sequences as ids padded to the longest of them.
Ids pad_sequences(std::span<const std::vector<int32_t>> sequences);

}  // namespace attend
