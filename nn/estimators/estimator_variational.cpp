#include <cmath>

#include "core/engine.h"
#include "core/ops.h"
#include "nn/attention/gumbel.h"
#include "nn/estimators/baseline.h"

namespace attend::ATTEND_PRECISION {

namespace {

struct VariationalOptions {
    Selection baseline{baseline_table(), "soft_context"};
    int64_t samples = 1;
    int64_t hidden = 64;
    void fields(Visitor& v) {
        baseline_field(v, baseline);
        samples_field(v, samples);
        v.integer("hidden", hidden, {1, 65536}, "width of the inference network's hidden layer");
    }
};

/// The inference network's weights: q_s proportional to p_s exp(u V_s),  u = U tanh(Q query_t + E y_t + e). U begins at 0, so q
/// begins as p.
struct InferenceNetwork {
    Tensor query, target, bias, out;  // [Dq, N], [V, N], [N], [N, Dv]
};

class Inferred final : public Proposal {
  public:
    Inferred(const InferenceNetwork& network, const Ids& target) : network_(network), target_(target) {}
    Tensor operator()(const ChoiceInput& in) const override {
        const Tensor& weights = in.weights;
        const int64_t b = weights.dim(0), queries = weights.dim(1), times = queries / in.pass.samples;
        Array<int32_t> ids(static_cast<std::size_t>(b * queries));
        for (int64_t r = 0; r < b; ++r)
            for (int64_t i = 0; i < queries; ++i) {
                const int64_t t = in.call.position + i % times;
                const int32_t id = t < target_.length(r) ? target_.at(r, t) : 0;
                ids[static_cast<std::size_t>(r * queries + i)] = id < 0 ? 0 : id;  // without a loss: any will do
            }
        const Tensor seen = embedding(network_.target, ids, {b, queries});
        const Tensor h = tanh(linear(in.call.query, network_.query, network_.bias) + seen);
        const Tensor more = matmul(linear(h, network_.out), in.call.values, Transpose::no, Transpose::yes);
        return softmax(log(shift(weights, tiny_weight)) + more, ranges_of(weights));
    }

  private:
    const InferenceNetwork& network_;
    const Ids& target_;
};

/// The bound of the marginal with an inference network that sees the target (Deng et al. 2018, eq.
/// 4 and 7):
///     -log sum_a p(a) p(y | a)  <=  E_q[ sum_t -log p(y_t | a) + KL(q_t || p_t) ].
/// Its gradient by REINFORCE for q: with G_t = sum_{t' >= t} -log p(y_t' | a) + sum_{t' > t} KL_t',
///     sum_t [ -log p(y_t | a) + KL_t + stop(G_t - b_t) log q(a_t) ].
class Variational final : public Estimator {
  public:
    Variational(const VariationalOptions& o, const Scope& scope, const EstimatorSetup& s)
        : options_(o), baseline_(build_baseline(o.baseline, o.samples, scope, s)) {
        require(s.vocabulary > 0, "{}: the inference network sees targets, and there are none: target vocabulary {}",
                scope.path(), s.vocabulary);
        const Scope inference = scope.in("inference");
        network_.query = inference.in("query").add("weight", {s.query, o.hidden},
                                                   Init::uniform(1 / std::sqrt(static_cast<double>(s.query))));
        network_.target = inference.in("target").add("weight", {s.vocabulary, o.hidden}, Init::normal(1));
        network_.bias = inference.in("query").add("bias", {o.hidden}, Init::zeros());
        network_.out = inference.in("out").add("weight", {o.hidden, s.values}, Init::zeros());
    }
    Aim aim() const override { return Aim::bound; }
    bool needs_one_site() const override { return true; }
    std::unique_ptr<Proposal> proposal(const Ids& target) const override {
        return std::make_unique<Inferred>(network_, target);
    }

    Estimated operator()(const Rollouts& rollouts, double normaliser, const Context& context) const override {
        const std::unique_ptr<Proposal> q = proposal(rollouts.target());
        const Rollout rollout = rollouts(*choose_proposed(*q), options_.samples);
        const Tensor mask = rollouts.mask().reshape({rollouts.rows(), 1, rollouts.targets()});
        const Tensor divergence = rollout.divergence() * mask;
        const Tensor to_go = costs(rollout.loss, divergence);
        const BaselineValue baseline = (*baseline_)({rollouts, rollout, to_go, normaliser}, context);
        const Tensor advantage = less(to_go, baseline.value, mask_to_go(rollouts.mask()));
        Estimated out = averaged(rollout, sum(rollout.loss + divergence + advantage * rollout.log_proposal()), normaliser);
        if (baseline.loss.defined())
            out.loss = out.loss + baseline.loss;
        out.target_loss = mean_of_samples(rollout.loss + divergence);
        out.advantages = advantage_sums(advantage, mask_to_go(rollouts.mask()));
        return out;
    }
    Tensor direct(const Rollouts& rollouts, double normaliser, const Context&) const override {
        const std::unique_ptr<Proposal> q = proposal(rollouts.target());
        return direct_losses(rollouts, *choose_proposed(*q), options_.samples, normaliser);
    }

  private:
    static Tensor costs(const Tensor& loss, const Tensor& divergence) {
        const NoGrad off;
        return reward_to_go(loss) + reward_to_go(divergence) - divergence.detach();
    }
    static Tensor less(const Tensor& to_go, const Tensor& baseline, const Tensor& mask) {
        const NoGrad off;
        return (to_go - baseline) * mask;
    }

    VariationalOptions options_;
    std::unique_ptr<Baseline> baseline_;
    InferenceNetwork network_;
};

}  // namespace

EstimatorTable::Row estimator_variational() {
    return EstimatorTable::row<Variational, VariationalOptions>(
        "variational", "a bound of the marginal: an inference network that sees the target draws (Deng 2018, eq. 7)");
}

}  // namespace attend::ATTEND_PRECISION
