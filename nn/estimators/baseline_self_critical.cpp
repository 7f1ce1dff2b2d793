#include "nn/estimators/baseline.h"

namespace attend::ATTEND_PRECISION {

namespace {

/// b_t = the loss from t on where every choice is the likeliest one   (Rennie et al. 2017, eq. 9)
class SelfCritical final : public Baseline {
  public:
    BaselineValue operator()(const BaselineInput& in, const Context&) const override {
        return {loss_of_pass(in, Choose::likeliest)};
    }
};

}  // namespace

BaselineTable::Row baseline_self_critical() {
    return BaselineTable::row<SelfCritical>("self_critical",
                                            "the loss with the likeliest choices: one pass more (Rennie 2017, eq. 9)");
}

}  // namespace attend::ATTEND_PRECISION
