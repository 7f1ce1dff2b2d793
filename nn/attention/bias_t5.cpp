#include <algorithm>

#include "core/ops.h"
#include "nn/attention/bias.h"

namespace attend::ATTEND_PRECISION {

namespace {

struct BucketOptions {
    int64_t buckets = 32, distance = 128;
    void fields(Visitor& v) {
        v.integer("buckets", buckets, {4, 65536}, "numbers learned for each head; divides by 4");
        v.integer("distance", distance, {2, 1 << 20}, "from this distance on, all share the last bucket");
    }
};

/// e[t, s] + w[bucket(s - t)]   (Raffel et al. 2020, 2.1): near distances have a number each, farther ones share it in ranges
/// that grow logarithmically. w = weight [buckets] of each head; half of it is for later positions where they are seen.
class BucketBias final : public PositionBias {
  public:
    BucketBias(const BucketOptions& o, const Scope& scope, const BiasSetup& s)
        : distance_(o.distance),
          sides_(s.causal ? BucketSides::past : BucketSides::both),
          weight_(scope.add("weight", {o.buckets}, Init::normal(0.02))) {
        distance_bucket(0, o.buckets, distance_, sides_);  // refuses options that do not go together
    }
    Tensor operator()(const Tensor& scores, const Call& call, const Ranges& ranges) const override {
        return call.numbering ? scores + elements(weight_, buckets(call), scores.shape())
                              : bucket_bias(scores, weight_, distance_, sides_, call.position, ranges);
    }
    bool needs_position() const override { return true; }
    bool reads_distances() const override { return true; }

  private:
    // Of each score [B, T, S].
    Array<int32_t> buckets(const Call& call) const {
        Array<int32_t> of_distance, out;  // from -distance_ to distance_: those further away have the bucket of these
        for (int64_t d = -distance_; d <= distance_; ++d)
            of_distance.push_back(static_cast<int32_t>(distance_bucket(d, weight_.dim(0), distance_, sides_)));
        for (int64_t b = 0; b < call.batch(); ++b)
            for (int64_t t = 0; t < call.queries(); ++t)
                for (int64_t s = 0; s < call.source; ++s)
                    out.push_back(of_distance[static_cast<std::size_t>(
                        std::clamp(call.distance(b, t, s), -distance_, distance_) + distance_)]);
        return out;
    }

    int64_t distance_;
    BucketSides sides_;
    Tensor weight_;
};

}  // namespace

BiasTable::Row bias_t5() {
    return BiasTable::row<BucketBias, BucketOptions>(
        "t5", "score + w(bucket of the distance), buckets that grow logarithmically (Raffel 2020, 2.1)");
}

}  // namespace attend::ATTEND_PRECISION
