#include "nn/estimators/baseline.h"

#include "core/engine.h"

namespace attend::ATTEND_PRECISION {

Tensor returns(const Tensor& loss, Reward reward) { return reward == Reward::own ? loss.detach() : reward_to_go(loss); }

Tensor loss_of_pass(const BaselineInput& input, const Choosing& way) {
    const NoGrad off;
    return returns(input.rollouts(way, 1).loss, input.reward);
}

void baseline_field(Visitor& v, Selection& baseline) {
    v.selection("baseline", baseline, "what is subtracted from the loss to go of a choice");
}

std::unique_ptr<Baseline> build_baseline(const Selection& baseline, int64_t samples, const Scope& scope,
                                         const EstimatorSetup& setup) {
    std::unique_ptr<Baseline> built = baseline_table().build(baseline, scope.in("baseline"), setup);
    require(samples >= built->least_samples(),
            "{}: baseline '{}' needs more samples: samples {}, least {}; set samples, or another baseline: 'soft_context' "
            "needs one",
            scope.path(), baseline.name(), samples, built->least_samples());
    return built;
}

// Each row is defined in the file of its name (self_critical and soft_context in
// baseline_of_pass.cpp).
BaselineTable::Row baseline_none(), baseline_moving_average(), baseline_learned(), baseline_self_critical(),
    baseline_soft_context(), baseline_leave_one_out();

const BaselineTable& baseline_table() {
    static const BaselineTable table("baseline", {baseline_none(), baseline_moving_average(), baseline_learned(),
                                                  baseline_self_critical(), baseline_soft_context(), baseline_leave_one_out()});
    return table;
}
const registry::AtStart baseline_listed(baseline_table());

}  // namespace attend::ATTEND_PRECISION
