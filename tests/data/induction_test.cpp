#include <doctest/doctest.h>

#include <algorithm>
#include <set>

#include "data/tasks/induction.h"
#include "tests/data/rows.h"

namespace induction_test {

using namespace attend;

namespace {

InductionOptions small() {
    InductionOptions options;
    options.examples = {.train_examples = 300, .valid_examples = 60, .test_examples = 50};
    options.vocabulary = 9;
    options.min_period = 4;
    options.max_period = 6;
    options.length = 15;
    return options;
}

// The symbols of the text: those before the first target.
int64_t period_of(const Batch& row) {
    int64_t n = 0;
    while (row.target.at(0, n) == id_ignored) ++n;
    return n;
}

}  // namespace

TEST_SUITE("induction") {
    TEST_CASE("a text of different symbols, then itself: what follows is the target") {
        const auto task = induction_task(small(), {});
        std::set<int64_t> periods;
        for (const Split split : {Split::train, Split::valid, Split::test})
            each_row(*task, split, [&](const Batch& row, const std::vector<Range>& gold) {
                const int64_t n = period_of(row);
                periods.insert(n);
                REQUIRE(row.input.length(0) == 15);
                REQUIRE(gold.size() == 15);
                const std::set<int32_t> text(row.input.row(0), row.input.row(0) + n);
                CHECK(std::ssize(text) == n);
                CHECK((*text.begin() >= 0 && *text.rbegin() < 9));
                for (int64_t t = 0; t < 15; ++t) {
                    CHECK(row.input.at(0, t) == row.input.at(0, t % n));
                    const Range g = gold[static_cast<std::size_t>(t)];
                    if (t < n) {
                        CHECK((row.target.at(0, t) == id_ignored && g.begin == g.end));
                        continue;
                    }
                    CHECK(row.target.at(0, t) == row.input.at(0, (t + 1) % n));
                    if (t >= 2 * n) {
                        CHECK(g.begin == g.end);
                        continue;
                    }
                    CHECK((g.end == g.begin + 1 && g.begin < t));
                    CHECK(row.input.at(0, g.begin - 1) == row.input.at(0, t));
                    CHECK(row.input.at(0, g.begin) == row.target.at(0, t));
                }
            });
        CHECK(periods == std::set<int64_t>{4, 5, 6});
        CHECK(task->target_vocabulary_size() == 9);
        CHECK(splits_have_rows_of_their_own(*task));
    }
    TEST_CASE("periods and lengths of the test of their own") {
        InductionOptions options = small();
        options.test_min_period = 7;
        options.test_max_period = 9;
        options.test_length = 40;
        const auto task = induction_task(options, {});
        std::set<int64_t> periods;
        each_row(*task, Split::test, [&](const Batch& row, const auto&) {
            periods.insert(period_of(row));
            CHECK(row.input.length(0) == 40);
        });
        CHECK(periods == std::set<int64_t>{7, 8, 9});
        each_row(*task, Split::valid, [&](const Batch& row, const auto&) { CHECK(period_of(row) <= 6); });
        CHECK(task->longest(Split::test).input.symbols == 40);
        CHECK(task->longest(Split::train).input.symbols == 15);
    }
    TEST_CASE("options of induction that cannot be met are refused") {
        InductionOptions options = small();
        options.length = 6;
        CHECK_THROWS_WITH_AS(induction_task(options, {}),
                             "induction: a text does not come again within a row: longest period 6, length 6, needed 7", Error);
        options = small();
        options.test_max_period = 10;
        CHECK_THROWS_WITH_AS(induction_task(options, {}),
                             "induction: the symbols of a text of the test are all different: longest period 10, vocabulary 9",
                             Error);
        options = small();
        options.min_period = 7;
        CHECK_THROWS_WITH_AS(induction_task(options, {}),
                             "induction: sizes are the wrong way round: min_period 7, max_period 6", Error);
        options = small();
        options.examples.train_examples = 10'000'000;
        options.length = 200;
        CHECK_THROWS_AS(induction_task(options, {}), Error);
    }
}

}  // namespace induction_test
