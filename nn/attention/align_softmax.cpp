#include "core/ops.h"
#include "nn/attention/align.h"

namespace attend::ATTEND_PRECISION {

namespace {

struct SoftmaxOptions {
    TemperatureOptions temperature;
    double soft_cap = 0;
    void fields(Visitor& v) {
        temperature.fields(v);
        v.number("soft_cap", soft_cap, {0, 1e6, "none"},
                 "scores stay within -c ... c: c tanh(score / c) before the temperature (Gemma 2, 2024); none: as they are");
    }
};

/// a_s = e^(e_s / temperature) / sum over the range   (Bahdanau, Cho and Bengio 2015, eq. 6), with
/// c tanh(e_s / c) in the place of e_s where there is a soft cap c (Gemma Team 2024, 2: logit soft-capping)
class SoftmaxAlign final : public Align {
  public:
    explicit SoftmaxAlign(const SoftmaxOptions& o)
        : factor_(static_cast<real>(1 / o.temperature.temperature)), cap_(static_cast<real>(o.soft_cap)) {}
    Aligned operator()(const Tensor& scores, const Ranges& ranges, const Call&) const override {
        return softmax(cap_ > 0 ? scale(tanh(scale(scores, 1 / cap_)), cap_) : scores, ranges, factor_);
    }
    std::optional<real> softmax_factor() const override { return cap_ > 0 ? std::nullopt : std::optional<real>(factor_); }

  private:
    real factor_, cap_;
};

}  // namespace

AlignTable::Row align_softmax() {
    return AlignTable::row<SoftmaxAlign, SoftmaxOptions>("softmax",
                                                         "e^(score / temperature), normalised (Bahdanau 2015, eq. 6)");
}

}  // namespace attend::ATTEND_PRECISION
