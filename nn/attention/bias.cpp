#include "nn/attention/bias.h"

#include <cmath>

#include "core/ops.h"

namespace attend::ATTEND_PRECISION {

namespace {

/// The scores as they are.
class NoBias final : public PositionBias {
  public:
    Tensor operator()(const Tensor& scores, const Call&, const Ranges&) const override { return scores; }
    std::optional<real> slope() const override { return real{0}; }
};

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
        Tensor bias = Tensor::empty({call.queries(), call.source});
        for (int64_t t = 0; t < call.queries(); ++t)
            for (int64_t s = 0; s < call.source; ++s)
                bias.writable()[t * call.source + s] = -slope_ * static_cast<real>(std::abs(call.position + t - s));
        return add(scores, bias);
    }
    bool needs_position() const override { return true; }
    std::optional<real> slope() const override { return slope_; }

  private:
    real slope_;
};

struct RelativeOptions {
    int64_t distance = 16;
    void fields(Visitor& v) {
        v.integer("distance", distance, {1, 65536},
                  "greatest distance k with a vector of its own; greater distances count as k");
    }
};

/// e[t, s] + q_t . w_c / sqrt(Dq), c = clip(s - t, -k, k)   (Shaw, Uszkoreit and Vaswani 2018, eq. 4; a^K_ij = w_c)
/// w = weight [2 k + 1, Dq]. Only the keys' part of the paper: its values' part (eq. 3) adds
/// nothing that its table 3 can show (25.8 BLEU with both, 25.8 with the keys' part alone).
class RelativeBias final : public PositionBias {
  public:
    RelativeBias(const RelativeOptions& o, const Scope& scope, const BiasSetup& s)
        : weight_(scope.add("weight", {2 * o.distance + 1, s.query}, Init::xavier(2 * o.distance + 1, s.query))),
          factor_(1 / std::sqrt(static_cast<real>(s.query))) {}
    Tensor operator()(const Tensor& scores, const Call& call, const Ranges& ranges) const override {
        const int64_t rows = call.batch() * call.queries();
        const Tensor products = matmul(call.query.reshape({rows, call.query.dim(2)}), weight_, Transpose::no, Transpose::yes);
        return relative_scores(scores, scale(products, factor_).reshape({call.batch(), call.queries(), weight_.dim(0)}),
                               call.position, ranges);
    }
    bool needs_position() const override { return true; }

  private:
    Tensor weight_;
    real factor_;
};

}  // namespace

const BiasTable& bias_table() {
    static const BiasTable table(
        "bias", {
                    BiasTable::row<NoBias>("none", "no bias: the scores depend on content alone"),
                    BiasTable::row<AlibiBias>("alibi", "score - m |distance|, m a constant of the head (Press 2022)"),
                    BiasTable::row<RelativeBias, RelativeOptions>(
                        "relative",
                        "score + q . w(distance) / sqrt(Dq), vectors w learned for the distances -k ... k (Shaw 2018, eq. 4)"),
                });
    return table;
}
const registry::AtStart bias_listed(bias_table());

}  // namespace attend::ATTEND_PRECISION
