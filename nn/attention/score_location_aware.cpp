#include "core/ops.h"
#include "nn/attention/additive.h"

namespace attend::ATTEND_PRECISION {

namespace {

struct LocationAwareOptions {
    int64_t filters = 10, width = 11;
    void fields(Visitor& v) {
        v.integer("filters", filters, {1, 4096}, "filters k of the convolution over the previous weights (Chorowski 2015: 10)");
        v.integer("width", width, {1, 4097}, "positions r that a filter sees, the middle one the position itself");
    }
};

/// e[t, s] = v . tanh(W q_t + U m_s + V f_ts), f_t = F * a_{t-1}   (Chorowski et al. 2015, eq. 8 and 9)
/// F = filter.weight [r, k]: a filter a column; V = feature.weight [k, A].
class LocationAwareScore final : public Score {
  public:
    LocationAwareScore(const LocationAwareOptions& o, const Scope& scope, const ScoreSetup& s)
        : additive_(scope, s),
          filter_(scope.in("filter"), o.width, o.filters, Bias::no),
          feature_(scope.in("feature"), o.filters, s.width, Bias::no) {}

    Tensor prepare(const Tensor& memory) const override { return additive_.key(memory); }
    AttentionScores operator()(const Call& call, const Ranges& ranges) const override {
        if (!call.previous.weights.defined())  // the first step: a_0 = 0
            return additive_(call, {}, ranges);
        const int64_t b = call.batch(), t = call.queries(), s = call.source, r = filter_.weight.dim(0);
        const Tensor around = neighbours(call.previous.weights.reshape({b * t, s}), r);
        return additive_(call, feature_(filter_(around)).reshape({b, t, s, feature_.weight.dim(1)}), ranges);
    }
    bool needs_previous() const override { return true; }
    bool reads_places() const override { return true; }

  private:
    AdditiveWith additive_;
    Linear filter_, feature_;
};

}  // namespace

ScoreTable::Row score_location_aware() {
    return ScoreTable::row<LocationAwareScore, LocationAwareOptions>(
        "location_aware", "v . tanh(W q + U m + V f), f a convolution of the previous weights (Chorowski 2015, eq. 9)");
}

}  // namespace attend::ATTEND_PRECISION
