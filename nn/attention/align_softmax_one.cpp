#include "core/ops.h"
#include "nn/attention/align.h"

namespace attend::ATTEND_PRECISION {

namespace {

/// a_s = e^(e_s / temperature) / (1 + sum over the range)   (Miller 2023): a query can read nothing
class SoftmaxOneAlign final : public Align {
  public:
    explicit SoftmaxOneAlign(const TemperatureOptions& o) : factor_(static_cast<real>(1 / o.temperature)) {}
    Aligned operator()(const Tensor& scores, const Ranges& ranges, const Call&) const override {
        return softmax_with_sink(scores, {}, ranges, factor_);
    }
    bool is_distribution() const override { return false; }

  private:
    real factor_;
};

}  // namespace

AlignTable::Row align_softmax_one() {
    return AlignTable::row<SoftmaxOneAlign, TemperatureOptions>(
        "softmax_one", "e^score / (1 + sum), so that a query can read nothing (Miller 2023)");
}

}  // namespace attend::ATTEND_PRECISION
