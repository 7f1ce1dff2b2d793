#include "nn/attention/additive.h"

namespace attend::ATTEND_PRECISION {

namespace {

/// e[t, s] = v . tanh(W q_t + U m_s)   (Bahdanau, Cho and Bengio 2015, A.1.2)
/// W = query.weight [Dq, A], U = key.weight [Dm, A], v [A]; U m is made once per source.
class AdditiveScore final : public Score {
  public:
    AdditiveScore(const Scope& scope, const ScoreSetup& s) : additive_(scope, s) {}

    Tensor prepare(const Tensor& memory) const override { return additive_.key(memory); }
    AttentionScores operator()(const Call& call, const Ranges& ranges) const override { return additive_(call, {}, ranges); }

  private:
    AdditiveWith additive_;
};

}  // namespace

ScoreTable::Row score_additive() {
    return ScoreTable::row<AdditiveScore>("additive", "v . tanh(W q + U m) (Bahdanau 2015, A.1.2)");
}

}  // namespace attend::ATTEND_PRECISION
