#pragma once
/// Baselines of REINFORCE: values that are subtracted from the return of a choice, so that the
/// estimate varies less. A baseline must not depend on the choice that it is for. Rows of
/// baseline_table(), one file each (baseline_NAME.cpp).
#include <memory>

#include "nn/estimators/estimator.h"

namespace attend::ATTEND_PRECISION {

/// Which losses a choice is credited with.
enum class Reward {
    following,  ///< of its own step and all later ones
    own,        ///< of its own step, for choices that affect no other
};
/// [B, K, T] losses of each step to the return of its choice: the losses that it is credited with,
/// not recorded.
Tensor returns(const Tensor& loss, Reward reward);

/// What a baseline sees.
struct BaselineInput {
    const Rollouts& rollouts;
    const Rollout& rollout;
    const Tensor& to_go;  ///< [B, K, T] return of each choice, not recorded
    double normaliser;
    Reward reward = Reward::following;
};

struct BaselineValue {
    Tensor value;      ///< [B or 1, K or 1, T], not recorded, broadcast to the returns
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

/// Declares the option `baseline`.
void baseline_field(Visitor& v, Selection& baseline);
/// Throws Error when the baseline needs more samples.
std::unique_ptr<Baseline> build_baseline(const Selection& baseline, int64_t samples, const Scope& scope,
                                         const EstimatorSetup& setup);

/// The returns [B, 1, T] in a pass that draws nothing, not recorded.
Tensor loss_of_pass(const BaselineInput& input, const Choosing& way);

}  // namespace attend::ATTEND_PRECISION
