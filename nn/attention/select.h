#pragma once
/// Selection: how the weights are used. Soft attention reads with the weights themselves; hard
/// attention chooses one position and reports the Decision, and names the estimator of its
/// gradient. Rows of select_table(), one file each (select_NAME.cpp).
#include <memory>
#include <optional>
#include <string>

#include "core/base/options.h"
#include "core/context.h"
#include "core/parameters.h"
#include "nn/attention/site.h"
#include "nn/estimators/estimator.h"

namespace attend::ATTEND_PRECISION {

/// What reads the values.
struct Selected {
    Tensor weights;                    ///< [B, T, S]
    std::optional<Decision> decision;  ///< hard selection only
};

class Select {
  public:
    virtual ~Select() = default;
    /// With HardChoice::Evaluate::marginal the model itself sums: outside of training the weights
    /// are returned unchanged.
    virtual Selected operator()(const Tensor& weights, const Site& site, const Context& context) const = 0;
    /// The options of a choice of positions, for which the weights must be a distribution; null
    /// where the weights are used for reading.
    virtual const HardChoice* hard() const { return nullptr; }
    /// Whether the weights are used unchanged: such a selection can be part of a fused kernel.
    virtual bool reads_weights() const { return false; }
};

using SelectTable = Table<std::unique_ptr<Select>(const Scope&)>;
const SelectTable& select_table();

}  // namespace attend::ATTEND_PRECISION
