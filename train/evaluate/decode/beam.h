#pragma once
/// Beam search: at every step the `beam` likeliest extensions of what was kept the step before.
#include <span>
#include <vector>

#include "nn/models/model.h"
#include "train/evaluate/decode/decoded.h"
#include "train/experiment/beam_options.h"

namespace attend::ATTEND_PRECISION {

/// lp = ((5 + |Y|) / 6)^alpha (Wu et al. 2016, eq. 14), |Y| counts symbols, eos included. 1 for
/// alpha = 0.
double length_penalty(int64_t symbols, double alpha);

/// Searches outputs of at most limits[i] symbols for every row i of `source`: one to `nbest` of
/// them each, best first.
///
/// A step keeps the `beam` likeliest extensions of the kept outputs, by log-likelihood; those that
/// end with eos are finished and make room. Finished outputs are ranked by score = log-likelihood /
/// length_penalty(|Y|), and the best `nbest` returned; only where there are fewer, the likeliest of
/// those that reached the limit without eos follow them. The search of a source stops when no kept
/// output can still come before the last one returned: as ln p <= 0, none can score above
/// log-likelihood / length_penalty(limit). So stopping early never changes what is returned.
///
/// Ties go to the extension of the better output, then to the lower id; equal scores to what was
/// finished first. pad and bos are never chosen. With beam = 1 it is greedy decoding: at every step
/// the most likely symbol. Sources that are done are dropped from the computation once half of
/// those left are, a function of the batch alone. Records nothing. Throws Error for options out of
/// their ranges and unless there is one limit, 0 or more, for each row.
std::vector<std::vector<Decoded>> decode_beam(const Model& model, const Ids& source, std::span<const int64_t> limits,
                                              const BeamOptions& options, Collect collect);

}  // namespace attend::ATTEND_PRECISION
