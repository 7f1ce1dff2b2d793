#include <cmath>

#include "train/evaluate/metrics/metrics.h"
#include "train/evaluate/metrics/share.h"

namespace attend {

namespace {
class AttentionEntropy final : public Share {
  public:
    Statistics statistics(const EvaluatedExample& e) const override {
        double sum = 0;
        int64_t rows = 0;
        for (int64_t t = 0; t < e.attention.rows; ++t) {
            double entropy = 0;
            bool any = false;
            for (int64_t s = 0; s < e.attention.columns; ++s) {
                const double a = static_cast<double>(e.attention.at(t, s));
                if (a == 0)
                    continue;  // the limit of a ln a
                entropy -= a * std::log(a);
                any = true;
            }
            if (!any)
                continue;
            sum += entropy;
            ++rows;
        }
        return counted(sum, static_cast<double>(rows));
    }
    Better better() const override { return Better::lower; }
    bool needs_attention() const override { return true; }
};
}  // namespace

std::unique_ptr<Metric> make_attention_entropy() { return std::make_unique<AttentionEntropy>(); }

}  // namespace attend
