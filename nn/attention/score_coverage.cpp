#include "core/ops.h"
#include "nn/attention/additive.h"

namespace attend::ATTEND_PRECISION {

namespace {

struct CoverageOptions {
    double loss = 0;
    void fields(Visitor& v) {
        v.number("loss", loss, {0, 1e3},
                 "factor of the coverage loss, sum of min(weight, coverage) (See 2017, eq. 12: 1); 0: none");
    }
};

/// e[t, s] = v . tanh(W q_t + U m_s + w c_ts), c_ts = sum of the weights of s at all steps before t
/// (See, Liu and Manning 2017, eq. 10 and 11; Tu et al. 2016, with a coverage that is a sum). w = coverage [A].
class CoverageScore final : public Score {
  public:
    CoverageScore(const CoverageOptions& o, const Scope& scope, const ScoreSetup& s)
        : additive_(scope, s),
          coverage_(scope.add("coverage", {s.width}, Init::xavier(1, s.width))),
          loss_(static_cast<real>(o.loss)) {}

    Tensor prepare(const Tensor& memory) const override { return additive_.key(memory); }
    AttentionScores operator()(const Call& call, const Ranges& ranges) const override {
        const Tensor before = weights_before(call),
                     covered = call.previous.score.defined() ? call.previous.score + before : before;
        const Tensor extra = covered.reshape({call.batch(), call.queries(), call.source, 1}) * coverage_;
        return {additive_(call, extra, ranges), covered};
    }
    // min(a, c) = a - max(a - c, 0)
    Tensor penalty(const Tensor& weights, const Tensor& covered) const override {
        return penalises() ? scale(sum(weights - relu(weights - covered), -1), loss_) : Tensor();
    }
    bool penalises() const override { return loss_ > 0; }
    bool needs_previous() const override { return true; }

  private:
    AdditiveWith additive_;
    Tensor coverage_;
    real loss_;
};

}  // namespace

ScoreTable::Row score_coverage() {
    return ScoreTable::row<CoverageScore, CoverageOptions>(
        "coverage", "v . tanh(W q + U m + w c), c what was read of m so far (See 2017, eq. 11; Tu 2016)");
}

}  // namespace attend::ATTEND_PRECISION
