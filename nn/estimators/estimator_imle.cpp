#include "core/ops.h"
#include "nn/estimators/pathwise.h"

namespace attend::ATTEND_PRECISION {

namespace {

struct ImleOptions {
    double lambda = 1;
    int64_t samples = 1;
    void fields(Visitor& v) {
        v.number(
            "lambda", lambda, {1e-3, 1e6},
            "how far the scores are moved against the loss's gradient (of a target in nats) for the second choice: a small "
            "one is noisier, a large one more biased");
        samples_field(v, samples);
    }
};

/// z = the one-hot of the largest of theta + g, theta = ln p, g Gumbel noise: a draw of p. With dL/dz that of the loss
/// as if z were free,
///     theta' = theta - lambda dL/dz,   dL/dtheta = (z - z') / lambda,   z' the largest of theta' + g, the same g
/// (Niepert, Minervini and Franceschi 2021, algorithm 1; divided by lambda as in Domke 2010, so that the other
/// parameters' gradient has the same unit). choose_perturbed.cpp does it where the gradient comes back, there
/// already divided by the targets N and the samples K: the step is lambda N K.
class Imle final : public Estimator {
  public:
    explicit Imle(const ImleOptions& o) : options_(o) {}
    Aim aim() const override { return Aim::expected; }
    bool unbiased() const override { return false; }
    Estimated operator()(const Rollouts& rollouts, double normaliser, const Context&) const override {
        return pathwise(rollouts, *way(normaliser), options_.samples, normaliser);
    }
    Tensor direct(const Rollouts& rollouts, double normaliser, const Context&) const override {
        return direct_losses(rollouts, Held(way(normaliser)), options_.samples, normaliser);
    }

  private:
    // The same choices without their gradient.
    class Held final : public Choosing {
      public:
        explicit Held(WayOfChoosing of) : of_(std::move(of)) {}
        Chosen operator()(const ChoiceInput& input) const override {
            Chosen c = (*of_)(input);
            c.read = c.read.detach();
            return c;
        }

      private:
        WayOfChoosing of_;
    };
    WayOfChoosing way(double normaliser) const {
        return choose_perturbed(options_.lambda * normaliser * static_cast<double>(options_.samples));
    }
    ImleOptions options_;
};

}  // namespace

EstimatorTable::Row estimator_imle() {
    return EstimatorTable::row<Imle, ImleOptions>(
        "imle", "expected, biased: implicit maximum likelihood, a second choice after a step of the scores (Niepert 2021)");
}

}  // namespace attend::ATTEND_PRECISION
