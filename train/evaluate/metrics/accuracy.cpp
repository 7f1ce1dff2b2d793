#include "train/evaluate/metrics/metrics.h"
#include "train/evaluate/metrics/share.h"

namespace attend {

namespace {
class Accuracy final : public Share {
  public:
    Statistics statistics(const EvaluatedExample& e) const override {
        ensure(e.targets.size() == e.predicted.size(), "accuracy: counts differ: targets {}, predictions {}", e.targets.size(),
               e.predicted.size());
        int64_t hits = 0;
        for (std::size_t t = 0; t < e.targets.size(); ++t) hits += e.targets[t] == e.predicted[t] ? 1 : 0;
        return counted(hits, static_cast<int64_t>(e.targets.size()));
    }
};
class LabelAccuracy final : public Share {
  public:
    Statistics statistics(const EvaluatedExample& e) const override {
        if (!e.label)
            return {};
        return counted(e.label->expected == e.label->predicted ? 1.0 : 0.0, 1.0);
    }
};
}  // namespace

std::unique_ptr<Metric> make_accuracy() { return std::make_unique<Accuracy>(); }
std::unique_ptr<Metric> make_label_accuracy() { return std::make_unique<LabelAccuracy>(); }

}  // namespace attend
