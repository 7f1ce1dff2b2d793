#include "nn/attention/window.h"

#include <algorithm>

namespace attend::ATTEND_PRECISION {

namespace {

/// Every position of the source: [0, length)   (global attention: Luong, Pham and Manning 2015, 3.1)
class GlobalWindow final : public Window {
  public:
    Ranges ranges(std::span<const int32_t> lengths, int64_t queries, int64_t) const override {
        Ranges all;
        for (const int32_t length : lengths) all.insert(all.end(), static_cast<std::size_t>(queries), Range{0, length});
        return all;
    }
};

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
    bool needs_position() const override { return true; }
    bool is_causal() const override { return true; }
};

}  // namespace

const WindowTable& window_table() {
    static const WindowTable table(
        "window", {
                      WindowTable::row<GlobalWindow>("global", "every position of the source (Luong 2015, 3.1)"),
                      WindowTable::row<CausalWindow>("causal", "positions up to the query's own (Vaswani 2017, 3.2.3)"),
                  });
    return table;
}
const registry::AtStart window_listed(window_table());

}  // namespace attend::ATTEND_PRECISION
