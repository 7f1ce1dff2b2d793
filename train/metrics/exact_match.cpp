#include "train/metrics/metrics.h"
#include "train/metrics/share.h"

namespace attend::inline ATTEND_PRECISION {

namespace {
class ExactMatch final : public Metric {
  public:
    void add(const EvaluatedExample& e) override { share_.add(e.decoded == e.reference); }
    std::optional<double> value() const override { return share_.value(); }
    bool needs_decoding() const override { return true; }

  private:
    Share share_;
};
}  // namespace

std::unique_ptr<Metric> make_exact_match() { return std::make_unique<ExactMatch>(); }

}  // namespace attend::inline ATTEND_PRECISION
