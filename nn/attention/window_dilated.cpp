#include <cstdlib>

#include "nn/attention/around.h"
#include "nn/attention/window.h"

namespace attend::ATTEND_PRECISION {

namespace {

struct DilatedOptions {
    int64_t count = 16, step = 2;
    bool both_sides = false;
    void fields(Visitor& v) {
        v.integer("count", count, {1, 1 << 20}, "positions that are seen: the query's own and count - 1 before it");
        v.integer("step", step, {1, 1 << 20}, "distance d between two of them; 1: a sliding window");
        v.flag("both_sides", both_sides, "also count - 1 after it, for encoders");
    }
};

/// t - s = 0, d, 2 d, ... (count - 1) d   (Beltagy, Peters and Cohan 2020, 3.1, "dilated")
class DilatedWindow final : public Window {
  public:
    explicit DilatedWindow(const DilatedOptions& o) : o_(o) {}
    Ranges ranges(std::span<const int32_t> lengths, int64_t queries, int64_t position) const override {
        return ranges_around(lengths, queries, position, farthest(), o_.both_sides ? farthest() : 0);
    }
    bool sees(int64_t query, int64_t key) const override {
        const int64_t distance = query - key;
        return distance % o_.step == 0 && std::abs(distance) <= farthest() && (o_.both_sides || distance >= 0);
    }
    bool contiguous() const override { return o_.step == 1; }
    bool needs_position() const override { return true; }
    bool is_causal() const override { return !o_.both_sides; }

  private:
    int64_t farthest() const { return (o_.count - 1) * o_.step; }
    DilatedOptions o_;
};

}  // namespace

WindowTable::Row window_dilated() {
    return WindowTable::row<DilatedWindow, DilatedOptions>(
        "dilated", "every d-th position up to the query's own, so that few positions reach far (Beltagy 2020, 3.1)");
}

}  // namespace attend::ATTEND_PRECISION
