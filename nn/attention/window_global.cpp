#include "nn/attention/window.h"

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
    bool sees(int64_t, int64_t) const override { return true; }
};

}  // namespace

WindowTable::Row window_global() {
    return WindowTable::row<GlobalWindow>("global", "every position of the source (Luong 2015, 3.1)");
}

}  // namespace attend::ATTEND_PRECISION
