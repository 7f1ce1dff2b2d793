#include <algorithm>

#include "train/evaluate/metrics/metrics.h"
#include "train/evaluate/metrics/share.h"

namespace attend {

namespace {

enum class Counting { right, wrong };

class WholeText final : public Share {
  public:
    explicit WholeText(Counting counting) : counting_(counting) {}
    Statistics statistics(const EvaluatedExample& e) const override {
        if (e.references.empty())
            return {};
        const bool right = std::ranges::any_of(e.references, [&](const Answer& r) { return r.text == e.decoded.text; });
        return counted(right == (counting_ == Counting::right) ? 1.0 : 0.0, 1.0);
    }
    Better better() const override { return counting_ == Counting::right ? Better::higher : Better::lower; }
    bool needs_decoding() const override { return true; }

  private:
    Counting counting_;
};

}  // namespace

std::unique_ptr<Metric> make_exact_match() { return std::make_unique<WholeText>(Counting::right); }
std::unique_ptr<Metric> make_word_error_rate() { return std::make_unique<WholeText>(Counting::wrong); }

}  // namespace attend
