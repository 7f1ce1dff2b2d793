#include "nn/attention/bias.h"

namespace attend::ATTEND_PRECISION {

namespace {

/// The scores as they are.
class NoBias final : public PositionBias {
  public:
    Tensor operator()(const Tensor& scores, const Call&, const Ranges&) const override { return scores; }
    std::optional<real> slope() const override { return real{0}; }
};

}  // namespace

BiasTable::Row bias_none() { return BiasTable::row<NoBias>("none", "no bias: the scores depend on content alone"); }

}  // namespace attend::ATTEND_PRECISION
