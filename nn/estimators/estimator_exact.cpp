#include "core/ops.h"
#include "nn/estimators/marginal.h"

namespace attend::ATTEND_PRECISION {

namespace {

struct ExactOptions {
    std::string objective = "marginal";
    double threshold = 0;
    void fields(Visitor& v) {
        v.choice(
            "objective", objective, {"marginal", "expected"},
            "marginal: -log of the summed likelihoods (Wu 2018, eq. 5); expected: the mean of the losses, which with align "
            "'sparsemax' has few positions to sum (Correia 2020, section 3)");
        v.number(
            "threshold", threshold, {0, 0.5},
            "marginal: positions with less weight are not read, to save time where the vocabulary is large; the largest of a "
            "step always is. With p the summed weighted likelihood of those that are read and w the weight of the others, a "
            "target's loss is at most ln(1 + w / p) nats too high");
    }
};

/// Every position of every step is read, so it is exact where a choice affects its own step alone:
///     marginal   L = -sum_t log sum_s p(a_t = s) p(y_t | a_t = s)   (Wu, Shapiro and Cotterell 2018, eq. 5)
///     expected   L = -sum_t sum_s p(a_t = s) log p(y_t | a_t = s)   (Correia, Niculae, Aziz and Martins 2020, section 3)
class Exact final : public Estimator {
  public:
    Exact(const ExactOptions& o, const Scope& scope, const EstimatorSetup&) : options_(o) {
        require(o.objective == "marginal" || o.threshold == 0,
                "{}: threshold is for objective 'marginal', where its error has a bound: objective '{}', threshold {}",
                scope.path(), o.objective, o.threshold);
    }
    Aim aim() const override { return options_.objective == "expected" ? Aim::expected : Aim::marginal; }
    bool unbiased() const override { return options_.threshold == 0; }
    bool needs_independence() const override { return true; }
    bool draws() const override { return false; }

    Estimated operator()(const Rollouts& rollouts, double normaliser, const Context&) const override {
        return of(positions_of(rollouts), rollouts, normaliser);
    }
    Tensor direct(const Rollouts& rollouts, double normaliser, const Context&) const override {
        ByPosition by = positions_of(rollouts);
        by.weights = by.weights.detach();
        return of(by, rollouts, normaliser).loss;
    }

  private:
    ByPosition positions_of(const Rollouts& rollouts) const {
        return rollouts.by_position(
            [this](const Tensor& weights) { return with_weight(weights, static_cast<real>(options_.threshold)); });
    }
    Estimated of(const ByPosition& by, const Rollouts& rollouts, double normaliser) const {
        if (aim() == Aim::marginal)
            return marginal(by, Tensor::full({1, 1, 1}, 1), rollouts.mask(), normaliser);
        const Tensor masked = sum(by.weights * by.loss, 1) * rollouts.mask();
        return {scale(sum(masked), static_cast<real>(1 / normaliser)), masked.detach(), likeliest_prediction(by, by.weights)};
    }
    ExactOptions options_;
};

}  // namespace

EstimatorTable::Row estimator_exact() {
    return EstimatorTable::row<Exact, ExactOptions>("exact",
                                                    "marginal or expected: all positions are read and summed (Wu 2018, eq. 5)");
}

}  // namespace attend::ATTEND_PRECISION
