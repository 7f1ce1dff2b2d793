#include "nn/estimators/baseline.h"

namespace attend::ATTEND_PRECISION {

namespace {

/// b_t = -sum_{t' >= t} log p(y_t' | E_a[c]): the loss where the expected context is read, as soft attention does
/// (the centring of Xu et al. 2015, 4.1, with the model itself in place of an average)
class SoftContext final : public Baseline {
  public:
    BaselineValue operator()(const BaselineInput& in, const Context&) const override {
        return {loss_of_pass(in, Choose::softly)};
    }
};

}  // namespace

BaselineTable::Row baseline_soft_context() {
    return BaselineTable::row<SoftContext>("soft_context", "the loss with the expected context: one pass more");
}

}  // namespace attend::ATTEND_PRECISION
