#pragma once
/// Baselines of REINFORCE: values that are subtracted from the loss to go of a choice, so that the
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
/// [B, K, T] losses of each step to the losses that its choice is credited with (its loss to go),
/// not recorded.
Tensor gathered(const Tensor& loss, Reward reward);

/// What a baseline sees.
struct BaselineInput {
    const Play& play;
    const Played& played;
    const Tensor& follows;  ///< [B, K, T] loss to go of each choice, not recorded
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

/// Declares the option `baseline`.
void baseline_field(Visitor& v, Selection& baseline);
/// Throws Error when the baseline needs more samples.
std::unique_ptr<Baseline> build_baseline(const Selection& baseline, int64_t samples, const Scope& scope,
                                         const EstimatorSetup& setup);

/// The loss to go [B, 1, T] in a pass that draws nothing, not recorded.
Tensor loss_of_pass(const BaselineInput& input, Choose how);

}  // namespace attend::ATTEND_PRECISION
