#include "core/ops.h"
#include "nn/attention/score.h"
#include "nn/layers.h"

namespace attend::ATTEND_PRECISION {

namespace {

/// e[t, s] = v . tanh(W [q_t; m_s])   (Luong, Pham and Manning 2015, eq. 8)
/// W = weight [Dq + Dm, A], v [A]. The product is split by rows of W, so the memory's part is made
/// once per source.
class ConcatScore final : public Score {
  public:
    ConcatScore(const Scope& scope, const ScoreSetup& s)
        : weight_(Linear(scope, s.query + s.memory, s.width, Bias::no).weight),
          v_(scope.add("v", {s.width}, Init::xavier(s.width, 1))),
          query_(s.query) {}

    Tensor prepare(const Tensor& memory) const override { return linear(memory, weight_.rows(query_, weight_.dim(0))); }
    AttentionScores operator()(const Call& call, const Ranges& ranges) const override {
        return additive_score(linear(call.query, weight_.rows(0, query_)), call.keys, v_, ranges);
    }

  private:
    Tensor weight_, v_;
    int64_t query_;
};

}  // namespace

ScoreTable::Row score_concat() { return ScoreTable::row<ConcatScore>("concat", "v . tanh(W [q; m]) (Luong 2015, eq. 8)"); }

}  // namespace attend::ATTEND_PRECISION
