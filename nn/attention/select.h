#pragma once
/// Selection: what becomes of the weights. Soft attention reads with the weights themselves; hard attention chooses one
/// position and reports the Decision, and names the estimator of its gradient. Rows of select_table(), one file each
/// (select_NAME.cpp).
#include <memory>
#include <optional>
#include <string>

#include "core/context.h"
#include "core/base/options.h"
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
    /// With HardChoice::Evaluate::marginal a model sums by itself: outside of training the weights are returned as they are.
    virtual Selected operator()(const Tensor& weights, const Site& site, const Context& context) const = 0;
    /// Whether positions are drawn from the weights, so that these must be a distribution, and how; null where weights are read
    /// with.
    virtual const HardChoice* hard() const { return nullptr; }
    /// Whether the weights are read with as they are: such a selection can be part of a fused kernel.
    virtual bool reads_weights() const { return false; }
};

using SelectTable = Table<std::unique_ptr<Select>(const Scope&)>;
const SelectTable& select_table();

}  // namespace attend::ATTEND_PRECISION
