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
        return bucket_bias(scores, weight_, distance_, sides_, call.position, ranges);
    }
    bool needs_position() const override { return true; }

  private:
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
