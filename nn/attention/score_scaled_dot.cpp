#include <cmath>

#include "core/ops.h"
#include "nn/attention/score.h"
#include "nn/layers.h"

namespace attend::inline ATTEND_PRECISION {

namespace {

/// e[t, s] = (W q_t) . (U m_s) / sqrt(A)   (Vaswani et al. 2017, eq. 1, queries and keys projected as in 3.2.2)
/// W = query.weight [Dq, A], U = key.weight [Dm, A].
class ScaledDotScore final : public Score {
  public:
    ScaledDotScore(const Scope& scope, const ScoreSetup& s)
        : query_(scope.in("query"), s.query, s.width, Bias::no),
          key_(scope.in("key"), s.memory, s.width, Bias::no),
          factor_(1 / std::sqrt(static_cast<real>(s.width))) {}

    Tensor prepare(const Tensor& memory) const override { return key_(memory); }
    AttentionScores operator()(const Site& site, const Ranges&) const override {
        return scale(matmul(query_(site.query), site.keys, Transpose::no, Transpose::yes), factor_);
    }

  private:
    Linear query_, key_;
    real factor_;
};

}  // namespace

ScoreTable::Row score_scaled_dot() {
    return ScoreTable::make<NoOptions>("scaled_dot", "(W q) . (U m) / sqrt(A) (Vaswani 2017, eq. 1)",
                                       [](const NoOptions&, const Scope& scope, const ScoreSetup& setup) {
                                           return std::make_unique<ScaledDotScore>(scope, setup);
                                       });
}

}  // namespace attend::inline ATTEND_PRECISION
