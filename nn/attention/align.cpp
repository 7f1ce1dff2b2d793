#include "nn/attention/align.h"

#include "core/ops.h"

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

/// a = argmin over the simplex of |a - e / temperature|^2   (Martins and Astudillo 2016, eq. 2): far positions get exactly 0.
class SparsemaxAlign final : public Align {
  public:
    explicit SparsemaxAlign(const TemperatureOptions& o) : factor_(static_cast<real>(1 / o.temperature)) {}
    Tensor operator()(const Tensor& scores, const Ranges& ranges, const Call&) const override {
        return sparsemax(scores, ranges, factor_);
    }

  private:
    real factor_;
};

}  // namespace

const AlignTable& align_table() {
    static const AlignTable table(
        "align", {
                     AlignTable::row<SoftmaxAlign, TemperatureOptions>(
                         "softmax", "e^(score / temperature), normalised (Bahdanau 2015, eq. 6)"),
                     AlignTable::row<SparsemaxAlign, TemperatureOptions>(
                         "sparsemax", "nearest point of the simplex, with exact zeros (Martins and Astudillo 2016)"),
                 });
    return table;
}
const registry::AtStart align_listed(align_table());

}  // namespace attend::ATTEND_PRECISION
