#include "core/ops.h"
#include "nn/attention/align.h"

namespace attend::ATTEND_PRECISION {

namespace {

struct TopOptions {
    int64_t k = 8;
    TemperatureOptions temperature;
    void fields(Visitor& v) {
        v.integer("k", k, {1, 1 << 20}, "positions that get a weight");
        temperature.fields(v);
    }
};

/// softmax over the k largest scores of the range, 0 elsewhere   (Gupta et al. 2021); of equals the first
class TopAlign final : public Align {
  public:
    explicit TopAlign(const TopOptions& o) : k_(o.k), factor_(static_cast<real>(1 / o.temperature.temperature)) {}
    Aligned operator()(const Tensor& scores, const Ranges& ranges, const Call&) const override {
        return top_softmax(scores, k_, ranges, factor_);
    }
    bool weighs_equals() const override { return false; }

  private:
    int64_t k_;
    real factor_;
};

}  // namespace

AlignTable::Row align_top_k() {
    return AlignTable::row<TopAlign, TopOptions>("top_k", "softmax over the k largest scores (Gupta 2021)");
}

}  // namespace attend::ATTEND_PRECISION
