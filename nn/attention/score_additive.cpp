#include "core/ops.h"
#include "nn/attention/score.h"
#include "nn/layers.h"

namespace attend::ATTEND_PRECISION {

namespace {

/// e[t, s] = v . tanh(W q_t + U m_s)   (Bahdanau, Cho and Bengio 2015, A.1.2)
/// W = query.weight [Dq, A], U = key.weight [Dm, A], v [A]; U m is made once per source.
class AdditiveScore final : public Score {
  public:
    AdditiveScore(const Scope& scope, const ScoreSetup& s)
        : query_(scope.in("query"), s.query, s.width, Bias::no),
          key_(scope.in("key"), s.memory, s.width, Bias::no),
          v_(scope.add("v", {s.width}, Init::xavier(s.width, 1))) {}

    Tensor prepare(const Tensor& memory) const override { return key_(memory); }
    AttentionScores operator()(const Call& call, const Ranges& ranges) const override {
        return additive_score(query_(call.query), call.keys, v_, ranges);
    }

  private:
    Linear query_, key_;
    Tensor v_;
};

}  // namespace

ScoreTable::Row score_additive() {
    return ScoreTable::row<AdditiveScore>("additive", "v . tanh(W q + U m) (Bahdanau 2015, A.1.2)");
}

}  // namespace attend::ATTEND_PRECISION
