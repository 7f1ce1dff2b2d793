#include "core/ops.h"
#include "nn/attention/align.h"

namespace attend::inline ATTEND_PRECISION {

namespace {

struct SparsemaxOptions {
    double temperature = 1;
    void fields(Visitor& v) {
        v.number("temperature", temperature, {1e-3, 1e3}, "scores are divided by it: above 1 flatter, below 1 sharper");
    }
};

/// a = argmin over the simplex of |a - e / temperature|^2   (Martins and Astudillo 2016, eq. 2): far positions get exactly 0.
class SparsemaxAlign final : public Align {
  public:
    explicit SparsemaxAlign(const SparsemaxOptions& o) : factor_(static_cast<real>(1 / o.temperature)) {}
    Tensor operator()(const Tensor& scores, const Ranges& ranges, const Site&) const override {
        return sparsemax(scores, ranges, factor_);
    }

  private:
    real factor_;
};

}  // namespace

AlignTable::Row align_sparsemax() {
    return AlignTable::make<SparsemaxOptions>("sparsemax",
                                              "nearest point of the simplex, with exact zeros (Martins and Astudillo 2016)",
                                              [](const SparsemaxOptions& o) { return std::make_unique<SparsemaxAlign>(o); });
}

}  // namespace attend::inline ATTEND_PRECISION
