#include <cstdlib>

#include "nn/attention/around.h"
#include "nn/attention/window.h"

namespace attend::ATTEND_PRECISION {

namespace {

struct LocalOptions {
    int64_t reach = 10;
    void fields(Visitor& v) {
        v.integer("reach", reach, {0, 1 << 20}, "positions D seen on each side of the query's own number (Luong 2015: 10)");
    }
};

/// |s - t| <= D for target position t and source position s   (local-m: Luong, Pham and Manning 2015, 3.2, p_t = t). A query
/// that is more than D past the source's end sees nothing.
class LocalWindow final : public Window {
  public:
    explicit LocalWindow(const LocalOptions& o) : reach_(o.reach) {}
    Ranges ranges(std::span<const int32_t> lengths, int64_t queries, int64_t position) const override {
        return ranges_around(lengths, queries, position, reach_, reach_);
    }
    bool sees(int64_t query, int64_t key) const override { return std::abs(query - key) <= reach_; }

  private:
    int64_t reach_;
};

}  // namespace

WindowTable::Row window_local_m() {
    return WindowTable::row<LocalWindow, LocalOptions>(
        "local_m", "the source near the query's own number, |s - t| <= D: for monotone alignments (Luong 2015, 3.2)");
}

}  // namespace attend::ATTEND_PRECISION
