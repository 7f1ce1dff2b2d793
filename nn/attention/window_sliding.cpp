#include <cstdlib>

#include "nn/attention/around.h"
#include "nn/attention/window.h"

namespace attend::ATTEND_PRECISION {

namespace {

struct SlidingOptions {
    int64_t size = 128;
    bool both_sides = false;
    void fields(Visitor& v) {
        v.integer("size", size, {1, 1 << 20}, "positions w that are seen: the query's own and the w - 1 before it");
        v.flag("both_sides", both_sides, "also the w - 1 after it, for encoders");
    }
};

/// t - w < s <= t, or |t - s| < w   (Beltagy, Peters and Cohan 2020, 3.1). Time and memory are linear in the length.
class SlidingWindow final : public Window {
  public:
    explicit SlidingWindow(const SlidingOptions& o) : o_(o) {}
    Ranges ranges(std::span<const int32_t> lengths, int64_t queries, int64_t position) const override {
        return ranges_around(lengths, queries, position, o_.size - 1, o_.both_sides ? o_.size - 1 : 0);
    }
    bool sees(int64_t query, int64_t key) const override {
        return std::abs(query - key) < o_.size && (o_.both_sides || key <= query);
    }
    bool needs_position() const override { return true; }
    bool is_causal() const override { return !o_.both_sides; }

  private:
    SlidingOptions o_;
};

}  // namespace

WindowTable::Row window_sliding() {
    return WindowTable::row<SlidingWindow, SlidingOptions>(
        "sliding", "the query's own position and the w - 1 before it, linear in the length (Beltagy 2020, 3.1)");
}

}  // namespace attend::ATTEND_PRECISION
