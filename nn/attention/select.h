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

/// What a selection that chooses asks of its model.
struct HardChoice {
    Selection estimator{estimator_table(), "reinforce"};  ///< what makes a gradient of the choices
    /// What is read outside of training: the likeliest position, a drawn one, or each in turn, their predictions summed by
    /// weight (Wu, Shapiro and Cotterell 2018, eq. 5).
    enum class Evaluate { likeliest, drawn, marginal } evaluate = Evaluate::likeliest;
    int64_t soft_steps = 0;  ///< training steps that read with the weights before choices begin
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

}  // namespace attend::inline ATTEND_PRECISION
