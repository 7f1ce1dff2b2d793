#include <cmath>

#include "core/ops.h"
#include "nn/attention/bias.h"

namespace attend::ATTEND_PRECISION {

namespace {

// Head h of H = 2^n: 2^(-8 (h + 1) / H). Other counts take those of the power of two below, then
// every other one of those of the power above (Press, Smith and Lewis 2022, section 3 and their
// code).
double slope_of(int64_t head, int64_t heads) {
    int64_t power = 1;
    while (2 * power <= heads) power *= 2;
    const auto of_power = [](int64_t h, int64_t n) {
        return std::exp2(-8.0 * static_cast<double>(h + 1) / static_cast<double>(n));
    };
    return head < power ? of_power(head, power) : of_power(2 * (head - power), 2 * power);
}

/// e[t, s] - m |t - s|, with a slope m of each head   (Press, Smith and Lewis 2022, section 3; |.| where both sides are seen)
class AlibiBias final : public PositionBias {
  public:
    AlibiBias(const Scope&, const BiasSetup& s) : slope_(static_cast<real>(slope_of(s.head, s.heads))) {}
    Tensor operator()(const Tensor& scores, const Call& call, const Ranges&) const override {
        const bool alike = call.numbering == nullptr || call.numbering->alike();
        const int64_t rows = alike ? 1 : call.batch(), queries = call.queries();
        Tensor bias = Tensor::empty({rows, queries, call.source});
        for (int64_t i = 0; i < bias.size(); ++i) {
            const int64_t row = i / call.source;
            bias.writable()[i] =
                -slope_ * static_cast<real>(std::abs(call.distance(row / queries, row % queries, i % call.source)));
        }
        if (alike)
            bias = bias.reshape({queries, call.source});
        return add(scores, bias);
    }
    bool needs_position() const override { return true; }
    bool reads_distances() const override { return true; }
    std::optional<real> slope() const override { return slope_; }

  private:
    real slope_;
};

}  // namespace

BiasTable::Row bias_alibi() {
    return BiasTable::row<AlibiBias>("alibi", "score - m |distance|, m a constant of the head (Press 2022)");
}

}  // namespace attend::ATTEND_PRECISION
