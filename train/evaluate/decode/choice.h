#pragma once
/// One step of a decoder: which symbols may come next, and where the model looked.
#include <span>

#include "core/base/ids.h"
#include "nn/attention/seen.h"
#include "nn/attention/sites.h"
#include "train/evaluate/decode/decoded.h"

namespace attend::ATTEND_PRECISION {

/// A symbol that may come next.
struct Choice {
    int32_t id = id_eos;
    double log_probability = 0;  ///< nats
};

/// Finds the likeliest symbols. Keeps its memory from call to call.
class Chooser {
  public:
    /// The `count` likeliest of `classes` symbols, likeliest first, of equally likely ones the
    /// lower id first. pad and bos are never among them. ln p_k = z_k - max z - ln sum_j e^(z_j -
    /// max z), over all classes. A logit that is NaN or -infinity is never chosen; where nothing
    /// can be, the one choice is eos. Valid until the next call.
    std::span<const Choice> best(const real* logits, int64_t classes, int64_t count);

  private:
    Array<Choice> choices_;
    Array<real> chosen_, powers_;
};

/// Where row `row` of a batch of `rows` looked in the step in which `sites` saw this (weights [B, 1,
/// S]): its first `columns` weights, averaged over the sites. Empty when no site looked at so
/// many columns.
Array<real> step_attention(const Sightings& seen, const Sites& sites, int64_t row, int64_t rows, int64_t columns);

/// Which weights of a site make a map: what it read with, or what it chose from where it chose
/// (hard attention reads one position with weight 1).
enum class MapOf { read, chosen_from };

/// The attention of row `row` out of what sites saw in one call (weights [B, T, S]) or step by step
/// (weights [B, 1, S], in the order of the steps): its first `rows` rows and `columns` columns,
/// averaged over the sites that look at a source of `source_columns` columns from `target_rows`
/// rows. No rows when there is no such site.
AttentionRows attention_of(const Sightings& seen, const Sites& sites, int64_t row, int64_t target_rows, int64_t source_columns,
                           int64_t rows, int64_t columns, MapOf of = MapOf::read);

/// Where the first `length` positions of row `row` looked most, of each site that attends to the
/// sequence's own positions: [sites][length], of equal weights the first, -1 where there is none.
/// What sites saw is of one call (weights [B, T, T]); sites with another shape are left out.
std::vector<std::vector<int32_t>> most_attended_own(const Sightings& seen, const Sites& sites, int64_t row, int64_t length);

}  // namespace attend::ATTEND_PRECISION
