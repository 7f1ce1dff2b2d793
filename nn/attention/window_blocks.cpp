#include <algorithm>
#include <cstdlib>

#include "nn/attention/window.h"

namespace attend::ATTEND_PRECISION {

namespace {

struct GlobalBlocksOptions {
    int64_t size = 16, neighbours = 1, global = 1;
    bool both_sides = false;
    void fields(Visitor& v) {
        v.integer("size", size, {1, 1 << 20}, "positions in a block");
        v.integer("neighbours", neighbours, {0, 1 << 20}, "blocks before the query's own that it sees too");
        v.integer("global", global, {0, 1 << 20}, "first positions that every query sees (global symbols)");
        v.flag("both_sides", both_sides,
               "for encoders: also the positions and blocks after it, and global symbols see every position");
    }
};

/// s <= t, and floor(t / w) - n <= floor(s / w) or s < g: blocks of w positions, n of them before the query's own, and g global
/// symbols. both_sides: |floor(s / w) - floor(t / w)| <= n, or s < g, or t < g   (Zaheer et al. 2020, section 2, without its
/// random blocks; Beltagy, Peters and Cohan 2020, 3.1)
class BlocksWindow final : public Window {
  public:
    explicit BlocksWindow(const GlobalBlocksOptions& o) : o_(o) {}
    Ranges ranges(std::span<const int32_t> lengths, int64_t queries, int64_t position) const override {
        Ranges all;
        for (const int64_t length : lengths)
            for (int64_t t = position; t < position + queries; ++t) {
                const int64_t first = std::max<int64_t>(0, (t / o_.size - o_.neighbours) * o_.size);
                const int64_t last = !o_.both_sides  ? t + 1
                                     : t < o_.global ? length
                                                     : std::max((t / o_.size + o_.neighbours + 1) * o_.size, o_.global);
                const bool all_from_start = o_.global > 0;
                all.push_back({static_cast<int32_t>(all_from_start ? 0 : std::min(first, length)),
                               static_cast<int32_t>(std::min(last, length))});
            }
        return all;
    }
    bool sees(int64_t query, int64_t key) const override {
        if (!o_.both_sides && key > query)
            return false;
        if (key < o_.global || (o_.both_sides && query < o_.global))
            return true;
        return std::abs(query / o_.size - key / o_.size) <= o_.neighbours;
    }
    bool contiguous() const override { return o_.global == 0; }
    bool needs_position() const override { return true; }
    bool is_causal() const override { return !o_.both_sides; }

  private:
    GlobalBlocksOptions o_;
};

}  // namespace

WindowTable::Row window_blocks() {
    return WindowTable::row<BlocksWindow, GlobalBlocksOptions>(
        "blocks", "the query's block, its neighbours and global first symbols (Zaheer 2020; Beltagy 2020)");
}

}  // namespace attend::ATTEND_PRECISION
