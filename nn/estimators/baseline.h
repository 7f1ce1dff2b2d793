#pragma once
/// Baselines of REINFORCE: what is taken from the loss that follows a choice, so that its estimate varies less. A baseline must
/// not depend on the choice it is for. Rows of baseline_table(), one file each (baseline_NAME.cpp).
#include <memory>

#include "nn/estimators/estimator.h"

namespace attend::ATTEND_PRECISION {

/// Which losses a choice answers for.
enum class Reward {
    following,  ///< of its own step and all behind it
    own,        ///< of its own step, where it reaches no other
};
/// [B, K, T] losses of each step to what its choice answers for, not recorded.
Tensor gathered(const Tensor& loss, Reward reward);

/// What a baseline sees.
struct BaselineInput {
    const Play& play;
    const Played& played;
    const Tensor& follows;  ///< [B, K, T] what each choice answers for, not recorded
    double normaliser;
    Reward reward = Reward::following;
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

/// What choices would answer for, [B, 1, T], in a pass that draws nothing. Not recorded.
Tensor loss_of_pass(const BaselineInput& input, Choose how);

}  // namespace attend::ATTEND_PRECISION
