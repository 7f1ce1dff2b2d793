#include "core/kernels/relative.h"

#include <algorithm>

#include "core/kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/relative.cpp"
#include "hwy/foreach_target.h"
// After foreach_target.h.
#include "core/kernels/vector-inl.h"

HWY_BEFORE_NAMESPACE();
namespace attend::ATTEND_PRECISION::kernels::HWY_NAMESPACE {

/// A query's keys by distance: [begin, low) are too far before it and share column 0, [low, high)
/// have a column each, from `column` on, [high, end) are too far after it and share the last.
struct Stretches {
    int64_t begin, low, high, end, column;
};
HWY_INLINE Stretches stretches_of(const RelativeSizes& sizes, const Range* ranges, int64_t row) {
    const int64_t own = sizes.first_position + row % sizes.queries;
    const int64_t begin = ranges == nullptr ? 0 : std::clamp<int64_t>(ranges[row].begin, 0, sizes.keys);
    const int64_t end = ranges == nullptr ? sizes.keys : std::clamp<int64_t>(ranges[row].end, begin, sizes.keys);
    const int64_t low = std::clamp(own - sizes.distance, begin, end);
    const int64_t high = std::clamp(own + sizes.distance + 1, low, end);
    return {begin, low, high, end, low - own + sizes.distance};
}

void relative_scores(RelativeSizes sizes, const real* scores, const real* products, const Range* ranges, real* y) {
    for (int64_t row = 0; row < sizes.batch * sizes.queries; ++row) {
        const Stretches s = stretches_of(sizes, ranges, row);
        const real* e = scores + row * sizes.keys;
        const real* p = products + row * sizes.columns();
        real* out = y + row * sizes.keys;
        const auto add = [&](int64_t from, int64_t to, auto term) HWY_ATTR {
            vectors(to - from, [&](auto part, int64_t j)
                                   HWY_ATTR { part.store(part.load(e + from + j) + term(part, j), out + from + j); });
        };
        const auto none = [](auto, int64_t) HWY_ATTR { return hn::Zero(d); };
        add(0, s.begin, none);
        add(s.begin, s.low, [=](auto, int64_t) HWY_ATTR { return set(p[0]); });
        add(s.low, s.high, [=](auto part, int64_t j) HWY_ATTR { return part.load(p + s.column + j); });
        add(s.high, s.end, [=](auto, int64_t) HWY_ATTR { return set(p[2 * sizes.distance]); });
        add(s.end, sizes.keys, none);
    }
}

void relative_scores_backward(RelativeSizes sizes, const real* dy, const Range* ranges, Destination dproducts) {
    if (dproducts.data == nullptr)
        return;
    write_zero(dproducts, sizes.batch * sizes.queries * sizes.columns());
    for (int64_t row = 0; row < sizes.batch * sizes.queries; ++row) {
        const Stretches s = stretches_of(sizes, ranges, row);
        const real* g = dy + row * sizes.keys;
        real* dp = dproducts.data + row * sizes.columns();
        const auto sum = [&](int64_t from, int64_t to) HWY_ATTR {
            return sum_of(to - from, [&](auto part, int64_t j) HWY_ATTR { return part.load(g + from + j); });
        };
        if (s.begin < s.low)
            dp[0] += sum(s.begin, s.low);
        vectors(s.high - s.low, [&](auto part, int64_t j) HWY_ATTR {
            part.store(part.load(dp + s.column + j) + part.load(g + s.low + j), dp + s.column + j);
        });
        if (s.high < s.end)
            dp[2 * sizes.distance] += sum(s.high, s.end);
    }
}

}  // namespace attend::ATTEND_PRECISION::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace attend::ATTEND_PRECISION::kernels {

ATTEND_KERNEL(relative_scores);
ATTEND_KERNEL(relative_scores_backward);

}  // namespace attend::ATTEND_PRECISION::kernels
#endif
