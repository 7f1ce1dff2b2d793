#pragma once
/// Greedy decoding: at every step the most likely symbol.
#include <span>
#include <vector>

#include "nn/models/model.h"
#include "train/evaluate/decode/decoded.h"

namespace attend::ATTEND_PRECISION::oracles {

/// Decodes every row of `source`, row i to at most limits[i] symbols, of which there is one a row.
/// Rows that have ended are dropped when decode_beam() drops them, so that both compute the same
/// products. The score is the log-likelihood.
std::vector<Decoded> decode_greedy(const Model& model, const Ids& source, std::span<const int64_t> limits, Collect collect);

}  // namespace attend::ATTEND_PRECISION::oracles
