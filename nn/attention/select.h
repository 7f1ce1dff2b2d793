#pragma once
/// Selection: how the weights are used. Soft attention reads with the weights themselves; hard
/// attention chooses one position a query, in the way of choosing of the pass (choosing.h), and
/// names the estimator of its gradient. Rows of select_table(), one file each (select_NAME.cpp).
#include <memory>

#include "core/base/options.h"
#include "core/parameters.h"
#include "nn/attention/choosing.h"

namespace attend::ATTEND_PRECISION {

/// The options of a selection that chooses, for its model.
struct HardChoice {
    Selection estimator;  ///< of the gradient of the choices: a row of estimator_table()
    /// What is read outside of training: the likeliest position, a drawn one, or each in turn,
    /// their predictions summed by weight (Wu, Shapiro and Cotterell 2018, eq. 5).
    enum class Evaluate { likeliest, drawn, marginal } evaluate = Evaluate::likeliest;
    int64_t soft_steps = 0;  ///< training steps that read with the weights before choices begin
};

class Select {
  public:
    virtual ~Select() = default;
    /// With HardChoice::Evaluate::marginal the model itself sums: outside of training the weights
    /// are returned unchanged.
    virtual Chosen operator()(const Tensor& weights, const Call& call, const Pass& pass) const = 0;
    /// The options of a choice of positions, for which the weights must be a distribution; null
    /// where the weights are used for reading.
    virtual const HardChoice* hard() const { return nullptr; }
    /// Whether the weights are used unchanged: such a selection can be part of a fused kernel.
    virtual bool reads_weights() const { return false; }
};

using SelectTable = Table<std::unique_ptr<Select>(const Scope&)>;
const SelectTable& select_table();

}  // namespace attend::ATTEND_PRECISION
