#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <sstream>

#include "data/tasks/near_diagonal.h"
#include "tests/data/rows.h"

namespace near_diagonal_test {

using namespace attend;

namespace {

using Strings = std::vector<std::string>;

Strings words_of(const std::string& text) {
    std::istringstream in(text);
    return {std::istream_iterator<std::string>(in), {}};
}

NearDiagonalOptions small() {
    NearDiagonalOptions options;
    options.examples = {.train_examples = 200, .valid_examples = 40, .test_examples = 30};
    options.symbols = 4;
    options.variants = 2;
    options.max_run = 3;
    options.min_length = 10;
    options.max_length = 14;
    return options;
}

}  // namespace

TEST_SUITE("near_diagonal") {
    TEST_CASE("runs of variants, one after the other: their symbols are the target") {
        const auto task = near_diagonal_task(small(), {});
        std::set<std::size_t> lengths, runs;
        std::set<std::string> seen;
        for (const Split split : {Split::train, Split::valid, Split::test})
            for (int64_t i = 0; i < task->size(split); ++i) {
                const Strings source = words_of(task->source_text(split, i)), target = words_of(task->target_text(split, i));
                const std::vector<Range> gold = task->gold_alignment(split, i);
                lengths.insert(source.size());
                REQUIRE(gold.size() == target.size());
                int32_t at = 0;
                for (std::size_t t = 0; t < target.size(); ++t) {
                    CHECK(gold[t].begin == at);
                    at = gold[t].end;
                    const auto run = static_cast<std::size_t>(gold[t].end - gold[t].begin);
                    runs.insert(run);
                    CHECK((run >= 1 && run <= 3));
                    CHECK((t == 0 || target[t] != target[t - 1]));
                    for (auto p = static_cast<std::size_t>(gold[t].begin); p < static_cast<std::size_t>(at); ++p) {
                        REQUIRE(p < source.size());
                        CHECK((source[p] == target[t] + "a" || source[p] == target[t] + "b"));
                        seen.insert(source[p]);
                    }
                }
                CHECK(at == static_cast<int32_t>(source.size()));
            }
        CHECK(lengths == std::set<std::size_t>{10, 11, 12, 13, 14});
        CHECK(runs == std::set<std::size_t>{1, 2, 3});
        CHECK(seen.size() == 8);
        CHECK(task->source_vocabulary_size() == first_free_id + 8);
        CHECK(task->target_vocabulary_size() == first_free_id + 4);
        CHECK(task->decode_limit(14) == 15);
        CHECK(splits_have_rows_of_their_own(*task));
    }
    TEST_CASE("a target lies near its share of the source, in long sources of the test too") {
        NearDiagonalOptions options = small();
        options.symbols = 20;
        options.examples.test_examples = 20;
        options.test_min_length = options.test_max_length = 400;
        const auto task = near_diagonal_task(options, {});
        CHECK(task->longest(Split::test).source.symbols == 400);
        CHECK(task->longest(Split::train).source.symbols == 14);
        for (int64_t i = 0; i < task->size(Split::test); ++i) {
            const std::vector<Range> gold = task->gold_alignment(Split::test, i);
            const auto n = static_cast<double>(gold.size());
            CHECK(std::abs(n - 200) < 30);  // runs of two on average
            for (std::size_t t = 0; t < gold.size(); ++t)
                CHECK(std::abs(gold[t].begin - static_cast<double>(t) * 400 / n) < 50);
        }
    }
    TEST_CASE("options of near_diagonal that cannot be met are refused") {
        NearDiagonalOptions options = small();
        options.min_length = 15;
        CHECK_THROWS_WITH_AS(near_diagonal_task(options, {}),
                             "near_diagonal: sizes are the wrong way round: min_length 15, max_length 14", Error);
        options = small();
        options.test_max_length = 16384;
        options.examples.test_examples = 100'000;
        CHECK_THROWS_AS(near_diagonal_task(options, {}), Error);
        options = small();
        options.symbols = 2;
        options.max_run = 1;
        options.min_length = options.max_length;
        CHECK_THROWS_AS(near_diagonal_task(options, {}), Error);  // two targets cannot be in three splits
    }
}

}  // namespace near_diagonal_test
