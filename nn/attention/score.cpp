#include "nn/attention/score.h"

#include <cmath>

#include "core/ops.h"
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
    Tensor operator()(const Call& call, const Ranges& ranges) const override {
        return additive_score(query_(call.query), call.keys, v_, ranges);
    }

  private:
    Linear query_, key_;
    Tensor v_;
};

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
    Tensor operator()(const Call& call, const Ranges&) const override {
        return matmul(call.query, call.keys, Transpose::no, Transpose::yes);
    }
};

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
    Tensor operator()(const Call& call, const Ranges&) const override {
        const Tensor query = projected_ ? call.query : query_(call.query);
        return scale(matmul(query, call.keys, Transpose::no, Transpose::yes), factor_);
    }
    std::optional<real> product_factor() const override { return projected_ ? std::optional<real>(factor_) : std::nullopt; }

  private:
    bool projected_;
    real factor_;
    Linear query_, key_;
};

/// e[t, s] = q_t . (W m_s)   (Luong, Pham and Manning 2015, eq. 8), W = weight [Dm, Dq]; W m is made once per source.
class GeneralScore final : public Score {
  public:
    GeneralScore(const Scope& scope, const ScoreSetup& s) : key_(scope, s.memory, s.query, Bias::no) {}

    Tensor prepare(const Tensor& memory) const override { return key_(memory); }
    Tensor operator()(const Call& call, const Ranges&) const override {
        return matmul(call.query, call.keys, Transpose::no, Transpose::yes);
    }

  private:
    Linear key_;
};

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
    Tensor operator()(const Call& call, const Ranges& ranges) const override {
        return additive_score(linear(call.query, weight_.rows(0, query_)), call.keys, v_, ranges);
    }

  private:
    Tensor weight_, v_;
    int64_t query_;
};

}  // namespace

const ScoreTable& score_table() {
    static const ScoreTable table(
        "score", {
                     ScoreTable::row<AdditiveScore>("additive", "v . tanh(W q + U m) (Bahdanau 2015, A.1.2)"),
                     ScoreTable::row<DotScore>("dot", "q . m, without parameters (Luong 2015, eq. 8)"),
                     ScoreTable::row<ScaledDotScore>("scaled_dot", "(W q) . (U m) / sqrt(A) (Vaswani 2017, eq. 1)"),
                     ScoreTable::row<GeneralScore>("general", "q . (W m) (Luong 2015, eq. 8)"),
                     ScoreTable::row<ConcatScore>("concat", "v . tanh(W [q; m]) (Luong 2015, eq. 8)"),
                 });
    return table;
}
const registry::AtStart score_listed(score_table());

}  // namespace attend::ATTEND_PRECISION
