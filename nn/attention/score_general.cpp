#include "core/ops.h"
#include "nn/attention/score.h"
#include "nn/layers.h"

namespace attend::ATTEND_PRECISION {

namespace {

/// e[t, s] = q_t . (W m_s)   (Luong, Pham and Manning 2015, eq. 8), W = weight [Dm, Dq]; W m is made once per source.
class GeneralScore final : public Score {
  public:
    GeneralScore(const Scope& scope, const ScoreSetup& s) : key_(scope, s.memory, s.query, Bias::no) {}

    Tensor prepare(const Tensor& memory) const override { return key_(memory); }
    AttentionScores operator()(const Call& call, const Ranges&) const override {
        return matmul(call.query, call.keys, Transpose::no, Transpose::yes);
    }

  private:
    Linear key_;
};

}  // namespace

ScoreTable::Row score_general() { return ScoreTable::row<GeneralScore>("general", "q . (W m) (Luong 2015, eq. 8)"); }

}  // namespace attend::ATTEND_PRECISION
