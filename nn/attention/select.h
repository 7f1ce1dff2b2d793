#pragma once
/// Selection: what becomes of the weights. Soft attention reads with the weights themselves; hard attention chooses one
/// position and reports the Decision, and names the estimator of its gradient. Rows of select_table(), one file each
/// (select_NAME.cpp).
#include <memory>
#include <optional>
#include <string>

#include "core/context.h"
#include "core/options.h"
#include "core/parameters.h"
#include "nn/attention/site.h"
#include "nn/estimators/estimator.h"

namespace attend::inline ATTEND_PRECISION {

/// What reads the values.
struct Selected {
    Tensor weights;                    ///< [B, T, S]
    std::optional<Decision> decision;  ///< hard selection only
};

class Select {
  public:
    virtual ~Select() = default;
    virtual Selected operator()(const Tensor& weights, const Site& site, const Context& context) const = 0;
    /// Whether positions are drawn from the weights, so that these must be a distribution.
    virtual bool draws() const { return false; }
    /// What makes a gradient of the choices; null where weights are read with, which have one.
    virtual const Estimator* estimator() const { return nullptr; }
    /// Whether the weights are read with as they are: such a selection can be part of a fused kernel.
    virtual bool reads_weights() const { return false; }
};

/// What a selection is built for.
struct SelectSetup {
    int64_t query = 0;  ///< width of the queries
};

using SelectTable = Table<std::unique_ptr<Select>(const Scope&, const SelectSetup&)>;
const SelectTable& select_table();

}  // namespace attend::inline ATTEND_PRECISION
