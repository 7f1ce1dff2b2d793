#pragma once
/// Baselines of REINFORCE: what is taken from the loss that follows a choice, so that its estimate varies less. A baseline must
/// not depend on the choice it is for. Rows of baseline_table(), one file each (baseline_NAME.cpp).
#include <memory>

#include "nn/estimators/estimator.h"

namespace attend::inline ATTEND_PRECISION {

/// What a baseline sees.
struct BaselineInput {
    const Play& play;
    const Played& played;
    const Tensor& follows;  ///< [B, K, T] loss from each step on, not recorded
    double normaliser;
};

struct BaselineValue {
    Tensor value;      ///< [B or 1, K or 1, T], not recorded, broadcast to the loss that follows
    Tensor loss = {};  ///< scalar, recorded: what trains the baseline itself; or undefined
};

class Baseline {
  public:
    virtual ~Baseline() = default;
    /// Fewest samples that it needs.
    virtual int64_t least_samples() const { return 1; }
    virtual BaselineValue operator()(const BaselineInput& input, const Context& context) const = 0;
};

using BaselineTable = Table<std::unique_ptr<Baseline>(const Scope&, const EstimatorSetup&)>;
const BaselineTable& baseline_table();

/// The loss from each step on, [B, 1, T], of one pass that draws nothing. Not recorded.
Tensor loss_of_pass(const Play& play, Choose how);

}  // namespace attend::inline ATTEND_PRECISION
