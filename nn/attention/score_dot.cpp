#include "core/ops.h"
#include "nn/attention/score.h"

namespace attend::ATTEND_PRECISION {

namespace {

/// e[t, s] = q_t . m_s   (Luong, Pham and Manning 2015, eq. 8). No parameters; query and memory must be equally wide.
class DotScore final : public Score {
  public:
    DotScore(const Scope&, const ScoreSetup& s) {
        require(
            s.query == s.memory,
            "attention.score: dot needs query and memory of one width: query {}, memory {}; general projects, or choose hidden "
            "sizes that fit",
            s.query, s.memory);
    }
    Tensor prepare(const Tensor& memory) const override { return memory; }
    AttentionScores operator()(const Call& call, const Ranges&) const override {
        return matmul(call.query, call.keys, Transpose::no, Transpose::yes);
    }
};

}  // namespace

ScoreTable::Row score_dot() { return ScoreTable::row<DotScore>("dot", "q . m, without parameters (Luong 2015, eq. 8)"); }

}  // namespace attend::ATTEND_PRECISION
