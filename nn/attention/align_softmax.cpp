#include "core/ops.h"
#include "nn/attention/align.h"

namespace attend::ATTEND_PRECISION {

namespace {

/// a_s = e^(e_s / temperature) / sum over the range   (Bahdanau, Cho and Bengio 2015, eq. 6)
class SoftmaxAlign final : public Align {
  public:
    explicit SoftmaxAlign(const TemperatureOptions& o) : factor_(static_cast<real>(1 / o.temperature)) {}
    Tensor operator()(const Tensor& scores, const Ranges& ranges, const Call&) const override {
        return softmax(scores, ranges, factor_);
    }
    std::optional<real> softmax_factor() const override { return factor_; }

  private:
    real factor_;
};

}  // namespace

AlignTable::Row align_softmax() {
    return AlignTable::row<SoftmaxAlign, TemperatureOptions>("softmax",
                                                             "e^(score / temperature), normalised (Bahdanau 2015, eq. 6)");
}

}  // namespace attend::ATTEND_PRECISION
