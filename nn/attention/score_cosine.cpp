#include "core/ops.h"
#include "nn/attention/score.h"
#include "nn/layers.h"

namespace attend::ATTEND_PRECISION {

namespace {

struct CosineOptions {
    double sharpness = 10;
    void fields(Visitor& v) {
        v.number("sharpness", sharpness, {1e-3, 1e3}, "first value of the learned factor of the cosine");
    }
};

/// e[t, s] = g cos(W q_t, U m_s), g learned   (content addressing: Graves, Wayne and Danihelka 2014, eq. 5 and 6; in a
/// transformer, query-key normalisation: Henry et al. 2020, eq. 2). W = query.weight [Dq, A], U = key.weight [Dm, A], neither
/// where a head's own projections are compared; g = sharpness [1].
class CosineScore final : public Score {
  public:
    CosineScore(const CosineOptions& o, const Scope& scope, const ScoreSetup& s)
        : projected_(s.projected == Projected::yes), sharpness_(scope.add("sharpness", {1}, Init::constant(o.sharpness))) {
        if (projected_)
            return;
        query_ = Linear(scope.in("query"), s.query, s.width, Bias::no);
        key_ = Linear(scope.in("key"), s.memory, s.width, Bias::no);
    }

    Tensor prepare(const Tensor& memory) const override { return unit_rows(projected_ ? memory : key_(memory)); }
    AttentionScores operator()(const Call& call, const Ranges&) const override {
        const Tensor query = unit_rows(projected_ ? call.query : query_(call.query));
        return matmul(query, call.keys, Transpose::no, Transpose::yes) * sharpness_;
    }

  private:
    bool projected_;
    Tensor sharpness_;
    Linear query_, key_;
};

}  // namespace

ScoreTable::Row score_cosine() {
    return ScoreTable::row<CosineScore, CosineOptions>("cosine", "g cos(W q, U m), g learned (Graves 2014; Henry 2020)");
}

}  // namespace attend::ATTEND_PRECISION
