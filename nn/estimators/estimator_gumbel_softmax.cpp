#include <algorithm>
#include <cmath>

#include "nn/estimators/pathwise.h"

namespace attend::ATTEND_PRECISION {

namespace {

struct GumbelSoftmaxOptions {
    double temperature = 1, final_temperature = 0;
    int64_t temperature_steps = 1000;
    bool hard = false;
    int64_t samples = 1;
    void fields(Visitor& v) {
        v.number("temperature", temperature, {1e-2, 1e3},
                 "of the relaxed choices: a low one is nearer to a choice, and its gradient is noisier");
        v.number("final_temperature", final_temperature, {0, 1e3, "auto"},
                 "temperature at the end, reached by the same factor in each step; auto: it stays");
        v.integer("temperature_steps", temperature_steps, {1, 4'000'000'000}, "training steps until final_temperature");
        v.flag("hard", hard, "read only the largest, with the gradient of all (the straight-through form, Jang 2017, 2.2)");
        samples_field(v, samples);
    }
};

/// c = sum_s y_s value_s, y = softmax((ln p + g) / tau), g Gumbel noise   (Jang, Gu and Poole 2017, eq. 2; Maddison, Mnih and
/// Teh 2017): at tau -> 0 a draw of p
class GumbelSoftmax final : public Estimator {
  public:
    explicit GumbelSoftmax(const GumbelSoftmaxOptions& o) : options_(o) {}
    Aim aim() const override { return Aim::expected; }
    bool unbiased() const override { return false; }
    Estimated operator()(const Rollouts& rollouts, double normaliser, const Context& context) const override {
        const double temperature = temperature_at(context.step);
        return pathwise(rollouts, *(options_.hard ? choose_relaxed_hard(temperature) : choose_relaxed(temperature)),
                        options_.samples, normaliser);
    }

  private:
    // tau (final / tau)^(step / steps)
    double temperature_at(uint32_t step) const {
        const GumbelSoftmaxOptions& o = options_;
        if (o.final_temperature <= 0)
            return o.temperature;
        const double share = std::min(1.0, static_cast<double>(step) / static_cast<double>(o.temperature_steps));
        return o.temperature * std::pow(o.final_temperature / o.temperature, share);
    }
    GumbelSoftmaxOptions options_;
};

}  // namespace

EstimatorTable::Row estimator_gumbel_softmax() {
    return EstimatorTable::row<GumbelSoftmax, GumbelSoftmaxOptions>(
        "gumbel_softmax", "expected, biased: relaxed choices, at a temperature (Jang 2017, eq. 2; Maddison 2017)");
}

}  // namespace attend::ATTEND_PRECISION
