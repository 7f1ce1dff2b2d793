#include <algorithm>

#include "core/ops.h"
#include "nn/estimators/reinforce.h"

namespace attend::inline ATTEND_PRECISION {

namespace {

/// With G_t = sum_{t' >= t} -log p(y_t' | a) and a baseline b that does not see a_t,
///     grad E[-log p(y | a)] = E[ grad -log p(y | a) + sum_t (G_t - b_t) grad log p(a_t) ]   (Williams 1992; Xu 2015, eq. 11)
/// as the gradient of  1/(N K) sum_k sum_t [ -log p(y_t | a) + stop(G_t - b_t) log p(a_t) - lambda H_t ].
class Reinforce final : public Estimator {
  public:
    Reinforce(const ReinforceOptions& o, const Scope& scope, const EstimatorSetup& s)
        : options_(o), baseline_(baseline_table().build(o.baseline, scope.in("baseline"), s)) {
        require(o.samples >= baseline_->least_samples(), "{}: baseline '{}' needs more samples: samples {}, least {}",
                scope.path(), o.baseline.name(), o.samples, baseline_->least_samples());
    }
    Aim aim() const override { return Aim::expected; }

    Estimated operator()(const Play& play, double normaliser, const Context& context) const override {
        const Played played = play({.how = Choose::drawn, .samples = options_.samples});
        const int64_t b = play.rows(), t = play.targets();
        const Tensor counted = play.counted().reshape({b, 1, t});
        const Tensor follows = from_each_step_on(played.loss);
        const BaselineValue baseline = (*baseline_)({play, played, follows, normaliser}, context);
        const double share = 1 / (normaliser * static_cast<double>(options_.samples));

        const Tensor advantage = advantage_of(follows, baseline.value, counted);
        Tensor each = played.loss + advantage * log(played.probability());
        if (const double worth = entropy_at(context.step); worth > 0)
            each = each - scale(played.entropy() * counted, static_cast<real>(worth));
        Estimated out;
        out.loss = scale(sum(each), static_cast<real>(share));
        if (baseline.loss.defined())
            out.loss = out.loss + baseline.loss;
        out.target_loss = mean_of_samples(played.loss);
        out.predicted = first_sample(played);
        return out;
    }

  private:
    // stop(G - b) where there is a target, else 0.
    static Tensor advantage_of(const Tensor& follows, const Tensor& baseline, const Tensor& counted) {
        const NoGrad off;
        return (follows - baseline) * counted;
    }
    double entropy_at(uint32_t step) const {
        if (options_.entropy_steps == 0)
            return options_.entropy;
        return options_.entropy * std::max(0.0, 1 - static_cast<double>(step) / static_cast<double>(options_.entropy_steps));
    }

    ReinforceOptions options_;
    std::unique_ptr<Baseline> baseline_;
};

}  // namespace

EstimatorTable::Row estimator_reinforce() {
    return EstimatorTable::make<ReinforceOptions>(
        "reinforce", "expected: drawn choices, weighed by the loss that follows them (Williams 1992; Xu 2015, eq. 11)",
        [](const ReinforceOptions& o, const Scope& scope, const EstimatorSetup& s) {
            return std::make_unique<Reinforce>(o, scope, s);
        });
}

}  // namespace attend::inline ATTEND_PRECISION
