#include <numbers>

#include "train/evaluate/metrics/metrics.h"
#include "train/evaluate/metrics/share.h"

namespace attend {

namespace {
class BitsPerByte final : public Share {
  public:
    Statistics statistics(const EvaluatedExample& e) const override {
        return counted(e.loss / std::numbers::ln2, static_cast<double>(e.reference.size()));
    }
    Better better() const override { return Better::lower; }
};
}  // namespace

std::unique_ptr<Metric> make_bits_per_byte() { return std::make_unique<BitsPerByte>(); }

}  // namespace attend
