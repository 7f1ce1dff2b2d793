#include <algorithm>

#include "nn/attention/window.h"

namespace attend::ATTEND_PRECISION {

namespace {

/// Nothing behind the query's own place: [0, min(length, position + t + 1))   (masked attention: Vaswani et al. 2017, 3.2.3)
class CausalWindow final : public Window {
  public:
    Ranges operator()(const Site& site) const override {
        Ranges ranges;
        for (const int32_t length : site.lengths)
            for (int64_t t = 0; t < site.queries(); ++t)
                ranges.push_back({0, static_cast<int32_t>(std::min<int64_t>(length, site.position + t + 1))});
        return ranges;
    }
    bool needs_position() const override { return true; }
    bool is_causal() const override { return true; }
};

}  // namespace

WindowTable::Row window_causal() {
    return WindowTable::row<CausalWindow>("causal", "positions up to the query's own (Vaswani 2017, 3.2.3)");
}

}  // namespace attend::ATTEND_PRECISION
