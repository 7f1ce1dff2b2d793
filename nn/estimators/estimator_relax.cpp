#include <cmath>

#include "core/engine.h"
#include "core/ops.h"
#include "nn/attention/gumbel.h"
#include "nn/estimators/baseline.h"
#include "nn/layers.h"

namespace attend::ATTEND_PRECISION {

namespace {

struct RelaxOptions {
    int64_t samples = 1;
    double temperature = 0.5;
    int64_t hidden = 64;
    void fields(Visitor& v) {
        samples_field(v, samples);
        v.number("temperature", temperature, {1e-2, 1e3}, "of the relaxed choices that the control variate sees");
        v.integer("hidden", hidden, {1, 65536}, "width of the control variate's hidden layer");
    }
};

/// With l = ln p, a ~ p, z its Gumbel noise given a, and a control variate c(z) of the step's query
/// q and source values v,
///     c = w h + d,  h = tanh(q Q + r R + e),  r = y v,  y = softmax(z / tau),
/// the gradient of E[f(a)] with respect to l has the unbiased estimate (Grathwohl et al. 2018, eq.
/// 9; step by step as in their 3.3, so that f is the reward to go; both noises coupled as in
/// Tucker 2017, appendix C)
///     g = (f(a) - c) 1_a + (1 - dz/dl) dc/dz
///     dc/dr = (w (1 - h^2)) R^T,  dc/dy = dc/dr v^T,  dc/dz = y (dc/dy - <y, dc/dy>) / tau.
/// dc/dz stands here in ops, so the gradient of |g - p sum(g)|^2 for the network's own weights, an
/// estimate of the variance of the scores' gradient, is an ordinary backward.
class Relax final : public Estimator {
  public:
    Relax(const RelaxOptions& o, const Scope& scope, const EstimatorSetup& s) : options_(o), name_(hash_name(scope.path())) {
        const double in = 1 / std::sqrt(static_cast<double>(s.query + s.values));
        query_ = Linear(scope.in("query"), s.query, o.hidden, Bias::no, Init::uniform(in));
        read_ = Linear(scope.in("read"), s.values, o.hidden, Bias::yes, Init::uniform(in));
        down_ = Linear(scope.in("down"), o.hidden, 1, Bias::yes, Init::uniform(1 / std::sqrt(static_cast<double>(o.hidden))));
    }
    Aim aim() const override { return Aim::expected; }
    bool needs_one_site() const override { return true; }

    Estimated operator()(const Rollouts& rollouts, double normaliser, const Context& context) const override {
        const int64_t b = rollouts.rows(), t = rollouts.targets(), k = options_.samples;
        const Rollout rollout = rollouts(*choose_drawn(), k);
        const Tensor weights = rollout.sites.front().weights(b, k);  // [B, K, T, S]
        const int64_t s = weights.dim(3), rows = k * t;
        const Inputs seen = what_is_seen(rollout, context);
        const Tensor mask = mask_to_go(rollouts.mask()).reshape({b, 1, t, 1});
        const Tensor to_go = reward_to_go(rollout.loss).reshape({b, k, t, 1});

        // All the control variate's own: recorded in its weights alone.
        const Tensor y = seen.y.reshape({b, rows, s}), q = seen.queries.reshape({b, rows, seen.queries.dim(3)});
        const Tensor r = matmul(y, seen.values);
        const Tensor h = tanh(query_(q) + read_(r));
        const Tensor c = down_(h).reshape({b, k, t, 1});
        const Tensor slope = shift(negate(square(h)), 1) * down_.weight.reshape({down_.weight.dim(0)});
        const Tensor dr = matmul(slope.reshape({b * rows, options_.hidden}), read_.weight, Transpose::no, Transpose::yes);
        const Tensor dy = matmul(dr.reshape({b, rows, read_.weight.dim(0)}), seen.values, Transpose::no, Transpose::yes);
        const Tensor mean = sum(y * dy, -1).reshape({b, rows, 1});
        const Tensor dz = scale(y * (dy - mean), static_cast<real>(1 / options_.temperature)).reshape({b, k, t, s});
        const Tensor advantage = to_go - c;
        const Tensor g = (advantage * seen.chosen + seen.left * dz) * mask;  // [B, K, T, S]

        const Tensor p = weights.detach(), centred = g - p * sum(g, -1).reshape({b, k, t, 1});
        Estimated out = averaged(
            rollout, sum(rollout.loss) + sum(g.detach() * log(shift(weights, tiny_weight))) + sum(square(centred)), normaliser);
        out.advantages = advantage_sums(advantage.detach().reshape({b, k, t}), mask);
        return out;
    }
    Tensor direct(const Rollouts& rollouts, double normaliser, const Context&) const override {
        return direct_losses(rollouts, *choose_drawn(), options_.samples, normaliser);
    }

  private:
    // Of every choice, [B, K, T, S], not recorded: y, 1 - dz/dl, 1_a; 0 where there was none.
    struct Inputs {
        Tensor y, left, chosen, queries, values;
    };
    Inputs what_is_seen(const Rollout& rollout, const Context& context) const {
        const NoGrad off;
        const int64_t b = rollout.loss.dim(0), k = rollout.loss.dim(1);
        std::vector<Tensor> ys, lefts, ones;
        const Sightings& calls = rollout.sites.front().calls;
        for (const Seen& d : calls) {
            const GivenGumbel given = gumbel_given(d.weights, d.index, {name_, d.step, k}, context);
            const int64_t s = d.weights.dim(2), times = d.weights.dim(1) / k;
            const Tensor z = given.z + shut_out(d.weights, options_.temperature);
            const Tensor y = softmax(z, ranges_of(d.weights), static_cast<real>(1 / options_.temperature));
            Tensor left = shift(negate(given.slope), 1), one = Tensor::zeros(d.weights.shape());
            for (std::size_t i = 0; i < d.index.size(); ++i) {
                const auto row = static_cast<int64_t>(i) * s;
                if (d.index[i] >= 0)
                    one.writable()[row + d.index[i]] = 1;
                else
                    std::fill_n(left.writable() + row, s, real{0});
            }
            for (auto [list, x] : {std::pair(&ys, y), std::pair(&lefts, left), std::pair(&ones, one)})
                list->push_back(x.reshape({b, k, times, s}));
        }
        const auto joined = [](const std::vector<Tensor>& parts) { return concat(std::span<const Tensor>(parts), 2); };
        return {joined(ys), joined(lefts), joined(ones), rollout.queries(), calls.front().values.detach()};
    }

    RelaxOptions options_;
    uint64_t name_;
    Linear query_, read_, down_;
};

}  // namespace

EstimatorTable::Row estimator_relax() {
    return EstimatorTable::row<Relax, RelaxOptions>(
        "relax", "expected: REINFORCE with a learned control variate of relaxed choices (Grathwohl 2018, eq. 9)");
}

}  // namespace attend::ATTEND_PRECISION
