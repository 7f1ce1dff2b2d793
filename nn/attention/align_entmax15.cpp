#include "core/ops.h"
#include "nn/attention/align.h"

namespace attend::ATTEND_PRECISION {

namespace {

/// a = argmax over the simplex of a . e / temperature + H_1.5(a)   (Peters, Niculae and Martins 2019, eq. 8 with alpha = 1.5,
/// exact by sorting: their algorithm 2): between softmax and sparsemax, with exact zeros.
class Entmax15Align final : public Align {
  public:
    explicit Entmax15Align(const TemperatureOptions& o) : factor_(static_cast<real>(1 / o.temperature)) {}
    Aligned operator()(const Tensor& scores, const Ranges& ranges, const Call&) const override {
        return entmax15(scores, ranges, factor_);
    }

  private:
    real factor_;
};

}  // namespace

AlignTable::Row align_entmax15() {
    return AlignTable::row<Entmax15Align, TemperatureOptions>(
        "entmax15", "between softmax and sparsemax, with exact zeros (Peters 2019, alpha 1.5)");
}

}  // namespace attend::ATTEND_PRECISION
