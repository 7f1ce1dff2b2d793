#include "nn/estimators/baseline.h"

#include "core/engine.h"

namespace attend::ATTEND_PRECISION {

Tensor gathered(const Tensor& loss, Reward reward) { return reward == Reward::own ? loss.detach() : from_each_step_on(loss); }

Tensor loss_of_pass(const BaselineInput& input, Choose how) {
    const NoGrad off;
    return gathered(input.play({.how = how, .samples = 1}).loss, input.reward);
}

// The table: one line a baseline. NAME stands for baseline_NAME(), defined in baseline_NAME.cpp.
#define ATTEND_BASELINES(ROW) ROW(none) ROW(moving_average) ROW(learned) ROW(self_critical) ROW(soft_context) ROW(leave_one_out)

#define DECLARE(NAME) BaselineTable::Row baseline_##NAME();
ATTEND_BASELINES(DECLARE)

#define LIST(NAME) baseline_##NAME(),
const BaselineTable& baseline_table() {
    static const BaselineTable table("baseline", {ATTEND_BASELINES(LIST)});
    return table;
}

namespace {
[[maybe_unused]] const bool listed = (baseline_table(), true);
}

}  // namespace attend::ATTEND_PRECISION
