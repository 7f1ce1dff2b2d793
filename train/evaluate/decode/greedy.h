#pragma once
/// Greedy decoding: at every step the most likely symbol.
#include <span>
#include <vector>

#include "nn/models/model.h"
#include "train/evaluate/decode/decoded.h"

namespace attend::ATTEND_PRECISION {

/// Decodes every row of `source`, row i to at most limits[i] symbols. Rows that have ended are
/// dropped from the computation once half of those left have, a function of the batch alone. pad
/// and bos are never chosen; of equally likely symbols the first is. The score is the
/// log-likelihood. Records nothing. Throws Error unless there is one limit, 0 or more, for each
/// row.
std::vector<Decoded> decode_greedy(const Model& model, const Ids& source, std::span<const int64_t> limits, Collect collect);

/// The attention of row `row` out of what sites saw in one call (weights [B, T, S]) or step by step
/// (weights [B, 1, S], in the order of the steps): its first `rows` rows and `columns` columns,
/// averaged over the sites that look at a source of `source_columns` columns from `target_rows`
/// rows. No rows when there is no such site.
AttentionRows attention_of(const Sightings& seen, const Sites& sites, int64_t row, int64_t target_rows, int64_t source_columns,
                           int64_t rows, int64_t columns);

}  // namespace attend::ATTEND_PRECISION
