#include <doctest/doctest.h>

#include <algorithm>
#include <set>

#include "core/base/random.h"
#include "data/batching.h"

namespace batching_test {

using namespace attend;

namespace {

struct Pairs {
    Sequences source, target;
};

// Lengths 1 ... 30; source and target of example i hold i and their place, so that rows can be told
// apart.
Pairs pairs(int64_t count, int32_t shortest = 1) {
    Pairs p;
    Stream stream(7, "pairs");
    for (int32_t i = 0; i < count; ++i) {
        std::vector<int32_t> x(stream.below(30) + static_cast<uint32_t>(shortest)),
            y(stream.below(30) + static_cast<uint32_t>(shortest));
        for (std::size_t k = 0; k < x.size(); ++k) x[k] = 10 + i * 100 + static_cast<int32_t>(k);
        for (std::size_t k = 0; k < y.size(); ++k) y[k] = 60 + i * 100 + static_cast<int32_t>(k);
        p.source.add(x);
        p.target.add(y);
    }
    return p;
}

void check_rows(const Batch& b, const Pairs& p) {
    for (int64_t r = 0; r < b.rows(); ++r) {
        const int64_t e = b.examples[static_cast<std::size_t>(r)];
        REQUIRE(b.source.length(r) == p.source.length(e));
        REQUIRE(b.input.length(r) == p.target.length(e) + 1);
        REQUIRE(b.target.length(r) == p.target.length(e) + 1);
        const int64_t n = p.target.length(e);
        for (int64_t c = 0; c < b.source.columns; ++c)
            CHECK(b.source.at(r, c) == (c < b.source.length(r) ? p.source[e][static_cast<std::size_t>(c)] : int32_t{id_pad}));
        for (int64_t c = 0; c < b.input.columns; ++c) {
            CHECK(b.input.at(r, c) == (c == 0   ? int32_t{id_bos}
                                       : c <= n ? p.target[e][static_cast<std::size_t>(c - 1)]
                                                : int32_t{id_pad}));
            CHECK(b.target.at(r, c) == (c < n    ? p.target[e][static_cast<std::size_t>(c)]
                                        : c == n ? int32_t{id_eos}
                                                 : id_ignored));
        }
    }
}

std::vector<int64_t> examples_of(Batches& batches, int64_t epoch) {
    std::vector<int64_t> all;
    for (int64_t k = 0; k < batches.per_epoch(); ++k) {
        const Batch b = batches.at(epoch * batches.per_epoch() + k);
        all.insert(all.end(), b.examples.begin(), b.examples.end());
    }
    return all;
}

}  // namespace

TEST_SUITE("batching") {
    TEST_CASE("every example once an epoch, in rows as Batch says") {
        for (const int64_t count : {1, 7, 8, 9, 300})
            for (const bool shuffled : {true, false})
                for (const int64_t rows : {1, 8, 64, 1000}) {
                    CAPTURE(count);
                    CAPTURE(rows);
                    const Pairs p = pairs(count);
                    const auto batches = bucketed_batches(p.source, p.target, {.batch = rows, .seed = 3, .shuffled = shuffled});
                    CHECK(batches->per_epoch() == (count + rows - 1) / rows);
                    for (const int64_t epoch : {0, 1}) {
                        std::vector<int64_t> all = examples_of(*batches, epoch);
                        std::ranges::sort(all);
                        REQUIRE(static_cast<int64_t>(all.size()) == count);
                        for (int64_t i = 0; i < count; ++i) CHECK(all[static_cast<std::size_t>(i)] == i);
                    }
                    check_rows(batches->at(0), p);
                    int64_t small = 0;
                    for (int64_t k = 0; k < batches->per_epoch(); ++k) small += batches->at(k).rows() < rows ? 1 : 0;
                    CHECK(small == (count % rows == 0 ? 0 : 1));
                }
    }
    TEST_CASE("a batch depends on its number alone, not on what was asked for before") {
        const Pairs p = pairs(100);
        const BatchOrder order{.batch = 8, .seed = 11, .shuffled = true};
        const auto walked = bucketed_batches(p.source, p.target, order);
        for (int64_t k = 0; k < 40; ++k) {
            const Batch a = walked->at(k);
            const auto fresh = bucketed_batches(p.source, p.target, order);
            CHECK(a.examples == fresh->at(k).examples);
        }
        const auto back = walked->at(3).examples;
        CHECK(back == bucketed_batches(p.source, p.target, order)->at(3).examples);
    }
    TEST_CASE("training: another order in each epoch and under each seed, evaluation: always the same") {
        const Pairs p = pairs(200);
        const auto a = bucketed_batches(p.source, p.target, {.batch = 10, .seed = 1, .shuffled = true});
        const auto b = bucketed_batches(p.source, p.target, {.batch = 10, .seed = 2, .shuffled = true});
        CHECK(examples_of(*a, 0) != examples_of(*a, 1));
        CHECK(examples_of(*a, 0) != examples_of(*b, 0));
        const auto c = bucketed_batches(p.source, p.target, {.batch = 10, .seed = 1});
        const auto d = bucketed_batches(p.source, p.target, {.batch = 10, .seed = 2});
        CHECK(examples_of(*c, 0) == examples_of(*c, 5));
        CHECK(examples_of(*c, 0) == examples_of(*d, 0));
        std::vector<int64_t> order = examples_of(*c, 0);
        CHECK(std::ranges::is_sorted(order, {}, [&](int64_t e) {
            return std::array{p.target.length(e), p.source.length(e), e};
        }));
    }
    TEST_CASE("buckets: little padding, and batches of mixed lengths in turn") {
        const Pairs p = pairs(6400);
        const auto batches = bucketed_batches(p.source, p.target, {.batch = 40, .seed = 1, .shuffled = true});
        int64_t cells = 0, used = 0, rising = 0;
        for (int64_t k = 0; k < batches->per_epoch(); ++k) {
            const Batch b = batches->at(k);
            cells += b.rows() * b.target.columns;
            used += b.targets();
            if (k > 0 && b.target.columns > batches->at(k - 1).target.columns)
                ++rising;
        }
        CHECK(static_cast<double>(used) / static_cast<double>(cells) > 0.9);  // 0.53 without buckets
        CHECK(rising > 50);
        CHECK(rising < 110);
    }
    TEST_CASE("slices: the rows of a shard, cut to their longest") {
        const Pairs p = pairs(50);
        const Batch whole = bucketed_batches(p.source, p.target, {.batch = 20, .seed = 4, .shuffled = true})->at(0);
        int64_t targets = 0;
        for (const auto& [begin, end] : std::vector<std::pair<int64_t, int64_t>>{{0, 7}, {7, 14}, {14, 20}}) {
            const Batch part = whole.slice(begin, end);
            CHECK(part.rows() == end - begin);
            check_rows(part, p);
            CHECK(part.input.columns == *std::ranges::max_element(part.input.lengths));
            CHECK(part.examples[0] == whole.examples[static_cast<std::size_t>(begin)]);
            targets += part.targets();
        }
        CHECK(targets == whole.targets());
        CHECK(targets == whole.target.tokens());
        CHECK(whole.slice(3, 3).rows() == 0);
        CHECK_THROWS_WITH_AS(whole.slice(3, 21), "batch: rows out of range: slice [3, 21), rows 20", Error);
        CHECK_THROWS_AS(whole.slice(-1, 2), Error);
        CHECK_THROWS_AS(whole.slice(4, 3), Error);
    }
    TEST_CASE("without sources, and with empty sequences") {
        const Pairs p = pairs(30, 0);
        const Sequences none;
        const auto batches = bucketed_batches(none, p.target, {.batch = 8, .seed = 1, .shuffled = true});
        const Batch b = batches->at(2);
        CHECK(b.source.rows == 0);
        CHECK(b.rows() == 8);
        CHECK(b.slice(2, 5).source.rows == 0);
        check_rows(bucketed_batches(p.source, p.target, {.batch = 30})->at(0), p);
    }
    TEST_CASE("what is refused") {
        const Pairs p = pairs(5), q = pairs(6);
        CHECK_THROWS_WITH_AS(bucketed_batches(p.source, q.target, {}),
                             "batches: counts of sources and targets differ: sources 5, targets 6", Error);
        CHECK_THROWS_WITH_AS(bucketed_batches(p.source, p.target, {.batch = 0}),
                             "batches: batch size is out of range: batch 0, allowed 1 to 1048576", Error);
        const auto batches = bucketed_batches(p.source, p.target, {.batch = 2});
        CHECK_THROWS_WITH_AS(batches->at(-1), "batches: a batch number is at least 0: number -1, batches an epoch 3", Error);
        const Sequences none;
        const auto empty = bucketed_batches(none, none, {});
        CHECK(empty->per_epoch() == 0);
        CHECK_THROWS_AS(empty->at(0), Error);
    }
    TEST_CASE("rows without a source: a target for each input, padded, in the order of pairs") {
        const Pairs p = pairs(100);
        const Sequences none;
        Sequences targets;
        for (int64_t i = 0; i < p.target.size(); ++i) {
            std::vector<int32_t> row(static_cast<std::size_t>(p.target.length(i)), id_ignored);
            row.back() = static_cast<int32_t>(i);
            targets.add(row);
        }
        for (const bool shuffled : {false, true}) {
            const BatchOrder order{.batch = 16, .seed = 5, .shuffled = shuffled};
            const auto rows = row_batches(p.target, targets, order), as_pairs = bucketed_batches(none, p.target, order);
            CHECK(rows->per_epoch() == 7);
            for (int64_t k = 0; k < 10; ++k) {
                const Batch b = rows->at(k);
                CHECK(b.source.rows == 0);
                CHECK(b.examples == as_pairs->at(k).examples);
                CHECK(b.targets() == b.rows());
                for (int64_t r = 0; r < b.rows(); ++r) {
                    const int64_t e = b.examples[static_cast<std::size_t>(r)];
                    const int64_t n = b.input.length(r);
                    REQUIRE((n == p.target.length(e) && b.target.length(r) == n));
                    for (int64_t c = 0; c < b.input.columns; ++c) {
                        CHECK(b.input.at(r, c) == (c < n ? p.target[e][static_cast<std::size_t>(c)] : int32_t{id_pad}));
                        CHECK(b.target.at(r, c) == (c == n - 1 ? static_cast<int32_t>(e) : id_ignored));
                    }
                }
            }
        }
        CHECK_THROWS_WITH_AS(
            row_batches(p.source, targets, {}),
            fmt::format("batches: a row has one target for each input: inputs {} in 100 rows, targets {} in 100",
                        p.source.total(), targets.total())
                .c_str(),
            Error);
    }
}

}  // namespace batching_test
