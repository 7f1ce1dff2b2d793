#include <cmath>

#include "core/ops.h"
#include "nn/attention/score.h"
#include "nn/layers.h"

namespace attend::ATTEND_PRECISION {

namespace {

/// e[t, s] = (W q_t) . (U m_s) / sqrt(A)   (Vaswani et al. 2017, eq. 1, queries and keys projected as in 3.2.2)
/// W = query.weight [Dq, A], U = key.weight [Dm, A]; neither where a head's own projections are
/// compared (A is their width).
class ScaledDotScore final : public Score {
  public:
    ScaledDotScore(const Scope& scope, const ScoreSetup& s)
        : projected_(s.projected == Projected::yes), factor_(1 / std::sqrt(static_cast<real>(projected_ ? s.query : s.width))) {
        if (projected_)
            return;
        query_ = Linear(scope.in("query"), s.query, s.width, Bias::no);
        key_ = Linear(scope.in("key"), s.memory, s.width, Bias::no);
    }

    Tensor prepare(const Tensor& memory) const override { return projected_ ? memory : key_(memory); }
    AttentionScores operator()(const Call& call, const Ranges&) const override {
        const Tensor query = projected_ ? call.query : query_(call.query);
        return scale(matmul(query, call.keys, Transpose::no, Transpose::yes), factor_);
    }
    std::optional<real> product_factor() const override { return projected_ ? std::optional<real>(factor_) : std::nullopt; }
    std::optional<ScaledProduct> scaled_product(const Tensor& query, const Tensor& memory) const override {
        const Tensor q = projected_ ? query : query_(query);
        return ScaledProduct{q, prepare(memory), 1 / std::sqrt(static_cast<double>(q.dim(2)))};
    }

  private:
    bool projected_;
    real factor_;
    Linear query_, key_;
};

}  // namespace

ScoreTable::Row score_scaled_dot() {
    return ScoreTable::row<ScaledDotScore>("scaled_dot", "(W q) . (U m) / sqrt(A) (Vaswani 2017, eq. 1)");
}

}  // namespace attend::ATTEND_PRECISION
