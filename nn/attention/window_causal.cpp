#include <algorithm>

#include "nn/attention/window.h"

namespace attend::ATTEND_PRECISION {

namespace {

/// Nothing after the query's own position: [0, min(length, position + t + 1))   (masked attention: Vaswani et al. 2017, 3.2.3)
class CausalWindow final : public Window {
  public:
    Ranges ranges(std::span<const int32_t> lengths, int64_t queries, int64_t position) const override {
        Ranges all;
        for (const int32_t length : lengths)
            for (int64_t t = 0; t < queries; ++t)
                all.push_back({0, static_cast<int32_t>(std::min<int64_t>(length, position + t + 1))});
        return all;
    }
    bool sees(int64_t query, int64_t key) const override { return key <= query; }
    bool needs_position() const override { return true; }
    bool is_causal() const override { return true; }
};

}  // namespace

WindowTable::Row window_causal() {
    return WindowTable::row<CausalWindow>("causal", "positions up to the query's own (Vaswani 2017, 3.2.3)");
}

}  // namespace attend::ATTEND_PRECISION
