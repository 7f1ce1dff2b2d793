#include "nn/estimators/baseline.h"

namespace attend::ATTEND_PRECISION {

namespace {

/// b_t = -sum_{t' >= t} log p(y_t' | choices), the loss to go in one more pass, where every choice
/// is the likeliest one (Rennie et al. 2017, eq. 9), or where the expected context E_a[c] is read,
/// as in soft attention (the centring of Xu et al. 2015, 4.1, with the model itself in place of an
/// average).
template <WayOfChoosing (*way)()>
class LossOfPass final : public Baseline {
  public:
    BaselineValue operator()(const BaselineInput& in, const Context&) const override { return {loss_of_pass(in, *way_)}; }

  private:
    WayOfChoosing way_ = way();
};

}  // namespace

BaselineTable::Row baseline_self_critical() {
    return BaselineTable::row<LossOfPass<choose_likeliest>>(
        "self_critical", "the loss with the likeliest choices: one pass more (Rennie 2017, eq. 9)");
}
BaselineTable::Row baseline_soft_context() {
    return BaselineTable::row<LossOfPass<choose_softly>>("soft_context", "the loss with the expected context: one pass more");
}

}  // namespace attend::ATTEND_PRECISION
