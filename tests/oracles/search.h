#pragma once
/// Search as slow as it gets: one source, no batch, no early stopping.
#include "nn/models/model.h"
#include "train/evaluate/decode/beam.h"

namespace attend::ATTEND_PRECISION::oracles {

struct Output {
    std::vector<int32_t> ids;
    double log_likelihood = 0;
    double score = 0;
    bool ended = false;
};

/// ln p of every class after `prefix`, from the start, in double. source has one row.
std::vector<double> next_log_probabilities(const Model& model, const Ids& source, const std::vector<int32_t>& prefix);

/// Every output there is: all that end within `limit` symbols, best first, then all of `limit`
/// symbols that do not end.
std::vector<Output> every_output(const Model& model, const Ids& source, int64_t limit, double length_penalty);

/// Beam search to the limit, every prefix decoded anew; ranked as decode_beam() ranks, all of them.
std::vector<Output> slow_beam(const Model& model, const Ids& source, int64_t limit, int64_t beam, double length_penalty);

}  // namespace attend::ATTEND_PRECISION::oracles
