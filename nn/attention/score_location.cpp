#include "core/ops.h"
#include "nn/attention/score.h"
#include "nn/layers.h"

namespace attend::ATTEND_PRECISION {

namespace {

struct LocationOptions {
    int64_t positions = 256;
    void fields(Visitor& v) {
        v.integer("positions", positions, {1, 1 << 20}, "longest source: each of its positions has a column of weights");
    }
};

/// e[t, s] = (W q_t)_s   (location: Luong, Pham and Manning 2015, eq. 8). W = weight [Dq, positions]; the source is not read.
class LocationScore final : public Score {
  public:
    LocationScore(const LocationOptions& o, const Scope& scope, const ScoreSetup& s)
        : weight_(scope, s.query, o.positions, Bias::no), path_(scope.path()) {}

    Tensor prepare(const Tensor& memory) const override {
        require(
            memory.dim(1) <= weight_.weight.dim(1),
            "{}: score 'location' has a column of weights for each position of a source, and this one is longer: source {}, "
            "positions {}; a greater 'positions' has room for it",
            path_, memory.dim(1), weight_.weight.dim(1));
        return memory;
    }
    AttentionScores operator()(const Call& call, const Ranges&) const override {
        return slice(weight_(call.query), -1, 0, call.source);
    }
    bool reads_places() const override { return true; }
    int64_t room() const override { return weight_.weight.dim(1); }

  private:
    Linear weight_;
    std::string path_;
};

}  // namespace

ScoreTable::Row score_location() {
    return ScoreTable::row<LocationScore, LocationOptions>("location", "(W q)_s, from the query alone (Luong 2015, eq. 8)");
}

}  // namespace attend::ATTEND_PRECISION
