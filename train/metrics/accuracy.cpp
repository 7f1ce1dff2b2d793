#include "train/metrics/metrics.h"
#include "train/metrics/share.h"

namespace attend::inline ATTEND_PRECISION {

namespace {
class Accuracy final : public Metric {
  public:
    void add(const EvaluatedExample& e) override {
        ensure(e.targets.size() == e.predicted.size(), "accuracy: counts differ: targets {}, predictions {}", e.targets.size(),
               e.predicted.size());
        for (std::size_t t = 0; t < e.targets.size(); ++t) share_.add(e.targets[t] == e.predicted[t]);
    }
    std::optional<double> value() const override { return share_.value(); }

  private:
    Share share_;
};
}  // namespace

std::unique_ptr<Metric> make_accuracy() { return std::make_unique<Accuracy>(); }

}  // namespace attend::inline ATTEND_PRECISION
