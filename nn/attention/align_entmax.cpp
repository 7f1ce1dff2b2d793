#include "core/ops.h"
#include "nn/attention/align.h"

namespace attend::ATTEND_PRECISION {

namespace {

struct EntmaxOptions {
    double alpha = 1.5;
    TemperatureOptions temperature;
    void fields(Visitor& v) {
        v.number("alpha", alpha, {1.001, 2}, "near 1: softmax; 2: sparsemax; between them: sparser with alpha");
        temperature.fields(v);
    }
};

/// a = argmax over the simplex of a . e / temperature + H_alpha(a), H_alpha Tsallis' entropy   (Peters, Niculae and Martins
/// 2019, eq. 8), by bisection (their algorithm 1)
class EntmaxAlign final : public Align {
  public:
    explicit EntmaxAlign(const EntmaxOptions& o)
        : alpha_(static_cast<real>(o.alpha)), factor_(static_cast<real>(1 / o.temperature.temperature)) {}
    Aligned operator()(const Tensor& scores, const Ranges& ranges, const Call&) const override {
        return entmax(scores, alpha_, ranges, factor_);
    }

  private:
    real alpha_, factor_;
};

}  // namespace

AlignTable::Row align_entmax() {
    return AlignTable::row<EntmaxAlign, EntmaxOptions>("entmax", "sparse by an order alpha of (1, 2] (Peters 2019, eq. 8)");
}

}  // namespace attend::ATTEND_PRECISION
