#include <algorithm>
#include <cmath>

#include "core/ops.h"
#include "nn/attention/bias.h"
#include "nn/layers.h"

namespace attend::ATTEND_PRECISION {

namespace {

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
        const Tensor scaled = scale(products, factor_).reshape({call.batch(), call.queries(), weight_.dim(0)});
        return call.numbering ? scores + elements(scaled, numbers(call), scores.shape())
                              : relative_scores(scores, scaled, call.position, ranges);
    }
    bool needs_position() const override { return true; }
    bool reads_distances() const override { return true; }

  private:
    // Of each score [B, T, S], the element of the products [B, T, 2 k + 1] that is added to it.
    Array<int32_t> numbers(const Call& call) const {
        const int64_t distances = weight_.dim(0), k = distances / 2;
        Array<int32_t> out;
        for (int64_t b = 0; b < call.batch(); ++b)
            for (int64_t t = 0; t < call.queries(); ++t)
                for (int64_t s = 0; s < call.source; ++s)
                    out.push_back(static_cast<int32_t>((b * call.queries() + t) * distances + k +
                                                       std::clamp(call.distance(b, t, s), -k, k)));
        return out;
    }

    Tensor weight_;
    real factor_;
};

}  // namespace

BiasTable::Row bias_relative() {
    return BiasTable::row<RelativeBias, RelativeOptions>(
        "relative", "score + q . w(distance) / sqrt(Dq), vectors w learned for the distances -k ... k (Shaw 2018, eq. 4)");
}

}  // namespace attend::ATTEND_PRECISION
