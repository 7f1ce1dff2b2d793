#pragma once
/// What the sites of a model saw in a pass: its attention maps and its hard choices, as values.
#include <iterator>
#include <map>
#include <utility>
#include <vector>

#include "core/base/ids.h"
#include "core/tensor.h"
#include "nn/attention/sites.h"

namespace attend::ATTEND_PRECISION {

/// One call of a site: K samples of T queries for every row of the batch, sample by sample (T = 1
/// where the site runs one step at a time).
struct Seen {
    int64_t site = 0;           ///< Site::number
    int64_t step = 0;           ///< place of the first query
    Tensor weights;             ///< [B, K T, S] the site's own
    Tensor read;                ///< [B, K T, S] what the values were read with
    Array<int32_t> index = {};  ///< [B * K * T] chosen position, -1 where a query may see none; empty: no choice
    Tensor query = {};          ///< [B, K T, Dq]; of choices alone
    Tensor values = {};         ///< [B, S, Dv] what is read; of choices alone
    Tensor proposal = {};       ///< [B, K T, S] what the choice was drawn from instead of the weights; undefined: the weights
};

using Sightings = std::vector<Seen>;

inline void append(Sightings& to, Sightings more) {
    to.insert(to.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
}

/// The site of a call, of a model's sites.
inline const Site& site_of(const Sites& sites, const Seen& call) { return sites.at(static_cast<std::size_t>(call.site)); }

/// A tensor, and what sites saw while it was made.
struct Output {
    Tensor value;
    Sightings seen = {};
    Tensor penalty = {};  ///< [B, T] nats that scores add to the loss of each target; or undefined
};

/// Chosen positions by number of the site and place of a call's first query, as in Seen::index: all
/// queries of the call together, so that step t has a key of its own only where a model runs one
/// step at a time. What no call asks for is not used: compare with what comes back as seen.
using Choices = std::map<std::pair<int64_t, int64_t>, Array<int32_t>>;

}  // namespace attend::ATTEND_PRECISION
