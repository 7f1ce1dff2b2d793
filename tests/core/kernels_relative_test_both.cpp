#include <algorithm>

#include "core/kernels/relative.h"
#include "tests/core/kernels_support.h"

namespace attend::ATTEND_PRECISION {
using namespace kernel_test;

TEST_SUITE_BEGIN("kernels relative");

namespace {

void check(const kernels::RelativeSizes& sizes, const std::vector<Range>& ranges) {
    const int64_t rows = sizes.batch * sizes.queries, keys = sizes.keys, columns = sizes.columns();
    const Values scores = values(rows * keys, 1), products = values(rows * columns, 2), dy = values(rows * keys, 3);
    Values expected = scores, unread = dy, dproducts(static_cast<std::size_t>(rows * columns), 0.0);
    for (int64_t row = 0; row < rows; ++row)
        for (int64_t s = 0; s < keys; ++s) {
            const auto at = static_cast<std::size_t>(row * keys + s);
            const Range seen = ranges.empty() ? Range{0, static_cast<int32_t>(keys)} : ranges[static_cast<std::size_t>(row)];
            if (s < seen.begin || s >= seen.end) {
                unread[at] = nan;  // the sums must not read what is outside
                continue;
            }
            const int64_t away = s - sizes.first_position - row % sizes.queries;
            const int64_t column = std::clamp(away, -sizes.distance, sizes.distance) + sizes.distance;
            expected[at] += products[static_cast<std::size_t>(row * columns + column)];
            dproducts[static_cast<std::size_t>(row * columns + column)] += dy[at];
        }
    const Range* r = ranges.empty() ? nullptr : ranges.data();
    each_target([&] {
        Buffer e(scores), p(products, 2), y = Buffer::unwritten(rows * keys, 3), g(unread);
        kernels::relative_scores(sizes, e, p, r, y);
        check_close(y, expected, epsilon);
        kernels::relative_scores(sizes, e, p, r, e);  // in place
        check_close(e, expected, epsilon);
        check_destination(
            dproducts, 4 * epsilon, [&](Destination to) { kernels::relative_scores_backward(sizes, g, r, to); },
            static_cast<double>(keys));
    });
}

}  // namespace

TEST_CASE("relative scores of every count of keys, near and far, are those of the formula") {
    for (int64_t keys = 0; keys <= 130; ++keys)
        for (const int64_t distance : {0, 1, 7, 40, 200}) {
            CAPTURE(keys);
            CAPTURE(distance);
            check({1, 2, keys, distance, keys / 2}, {});
        }
}

TEST_CASE("relative scores within ranges: outside nothing is added, and no gradient read") {
    for (const int64_t first : {0, 3, 50})
        for (const int64_t distance : {1, 4, 30}) {
            CAPTURE(first);
            CAPTURE(distance);
            check({2, 3, 41, distance, first}, {{0, 41}, {7, 7}, {3, 38}, {0, 1}, {40, 41}, {20, 29}});
        }
}

TEST_SUITE_END();

}  // namespace attend::ATTEND_PRECISION
