#include "core/ops.h"
#include "nn/attention/align.h"

namespace attend::ATTEND_PRECISION {

namespace {

/// a = argmin over the simplex of |a - e / temperature|^2   (Martins and Astudillo 2016, eq. 2): far positions get exactly 0.
class SparsemaxAlign final : public Align {
  public:
    explicit SparsemaxAlign(const TemperatureOptions& o) : factor_(static_cast<real>(1 / o.temperature)) {}
    Aligned operator()(const Tensor& scores, const Ranges& ranges, const Call&) const override {
        return sparsemax(scores, ranges, factor_);
    }

  private:
    real factor_;
};

}  // namespace

AlignTable::Row align_sparsemax() {
    return AlignTable::row<SparsemaxAlign, TemperatureOptions>(
        "sparsemax", "nearest point of the simplex, with exact zeros (Martins and Astudillo 2016)");
}

}  // namespace attend::ATTEND_PRECISION
