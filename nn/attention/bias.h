#pragma once
/// Biases: what is added to the scores by position alone. Rows of bias_table(), one file each (bias_NAME.cpp).
#include <memory>

#include "core/options.h"
#include "core/parameters.h"
#include "nn/attention/site.h"

namespace attend::inline ATTEND_PRECISION {

class PositionBias {
  public:
    virtual ~PositionBias() = default;
    /// Scores [B, T, S] with the bias of each (query, source) pair of places added. Positions outside `ranges` (one a row of
    /// B * T) are not looked at behind it. Query t of the site stands at site.position + t.
    virtual Tensor operator()(const Tensor& scores, const Site& site, const Ranges& ranges) const = 0;
    /// Whether the query's place in a sequence aligned with the source is compared with the source's (self-attention only).
    virtual bool needs_position() const { return false; }
};

using BiasTable = Table<std::unique_ptr<PositionBias>(const Scope&)>;
const BiasTable& bias_table();

}  // namespace attend::inline ATTEND_PRECISION
