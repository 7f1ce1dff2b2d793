#include "nn/estimators/baseline.h"

namespace attend::ATTEND_PRECISION {

namespace {

/// b = 0   (Williams 1992)
class NoBaseline final : public Baseline {
  public:
    BaselineValue operator()(const BaselineInput&, const Context&) const override { return {Tensor::zeros({1, 1, 1})}; }
};

}  // namespace

BaselineTable::Row baseline_none() { return BaselineTable::row<NoBaseline>("none", "0 (Williams 1992)"); }

}  // namespace attend::ATTEND_PRECISION
