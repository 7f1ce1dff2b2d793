#include "core/base/ids.h"

#include <doctest/doctest.h>

namespace ids_test {

using namespace attend;

TEST_SUITE("ids") {
    TEST_CASE("a slice is the rows asked for, cut to the longest of them") {
        Ids ids(4, 5);
        for (int64_t r = 0; r < 4; ++r) {
            ids.lengths[static_cast<std::size_t>(r)] = static_cast<int32_t>(r + 1);
            for (int64_t c = 0; c <= r; ++c) ids.at(r, c) = static_cast<int32_t>(10 * r + c);
        }
        CHECK(ids.tokens() == 10);
        const Ids part = ids.slice(1, 3);
        CHECK(part.rows == 2);
        CHECK(part.columns == 3);
        CHECK(part.values == Array<int32_t>{10, 11, id_pad, 20, 21, 22});
        CHECK(part.lengths == Array<int32_t>{2, 3});
        CHECK(ids.slice(0, 4).columns == 4);
        const Ids none = ids.slice(2, 2);
        CHECK(none.rows == 0);
        CHECK(none.columns == 0);
    }

    TEST_CASE("rows that are not there are refused") {
        const Ids ids(4, 5);
        CHECK_THROWS_WITH_AS(ids.slice(1, 5), "ids: rows out of range: slice [1, 5), rows 4", Error);
        CHECK_THROWS_WITH_AS(ids.slice(-1, 2), "ids: rows out of range: slice [-1, 2), rows 4", Error);
        CHECK_THROWS_WITH_AS(ids.slice(3, 2), "ids: rows out of range: slice [3, 2), rows 4", Error);
    }

    TEST_CASE("rows of no tokens leave no columns") {
        const Ids part = Ids(3, 5).slice(0, 2);
        CHECK(part.columns == 0);
        CHECK(part.values.empty());
        CHECK(part.lengths == Array<int32_t>{0, 0});
    }
}

}  // namespace ids_test
