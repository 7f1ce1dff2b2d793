#pragma once
/// Selection: what becomes of the weights. Soft attention reads with the weights themselves; hard attention chooses one
/// position and reports the Decision. Rows of select_table(), one file each (select_NAME.cpp).
#include <memory>
#include <optional>
#include <string>

#include "core/context.h"
#include "core/options.h"
#include "core/parameters.h"
#include "nn/attention/site.h"

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
    /// Whether the weights are read with as they are: such a selection can be part of a fused kernel.
    virtual bool reads_weights() const { return false; }
};

using SelectTable = Table<std::unique_ptr<Select>(const Scope&)>;
const SelectTable& select_table();

}  // namespace attend::inline ATTEND_PRECISION
