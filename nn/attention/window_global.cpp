#include "nn/attention/window.h"

namespace attend::ATTEND_PRECISION {

namespace {

/// Every position of the source: [0, length)   (global attention: Luong, Pham and Manning 2015, 3.1)
class GlobalWindow final : public Window {
  public:
    Ranges operator()(const Site& site) const override {
        Ranges ranges;
        for (const int32_t length : site.lengths)
            ranges.insert(ranges.end(), static_cast<std::size_t>(site.queries()), Range{0, length});
        return ranges;
    }
};

}  // namespace

WindowTable::Row window_global() {
    return WindowTable::row<GlobalWindow>("global", "every position of the source (Luong 2015, 3.1)");
}

}  // namespace attend::ATTEND_PRECISION
