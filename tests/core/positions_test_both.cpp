#include <doctest/doctest.h>

#include <cmath>

#include "core/ops.h"
#include "tests/core/broken_calls.h"
#include "tests/oracles/gradient_check.h"

namespace positions_test_both {

using namespace attend;
using namespace attend::oracles;

namespace {

struct Boundary {
    int64_t distance, bucket;
};

// The bucket changes at each of these distances and nowhere between them.
void check_boundaries(std::span<const Boundary> boundaries, int64_t buckets, int64_t sign, BucketSides sides) {
    std::size_t next = 0;
    int64_t expected = boundaries[0].bucket;
    for (int64_t n = boundaries[0].distance; n < 1000; ++n) {
        if (next < boundaries.size() && boundaries[next].distance == n)
            expected = boundaries[next++].bucket;
        CAPTURE(n);
        CHECK(distance_bucket(sign * n, buckets, 128, sides) == expected);
    }
}

}  // namespace

TEST_SUITE("ops over positions") {
    TEST_CASE("buckets of distances, 32 up to 128, change where the definition in whole numbers says") {
        // Found with fractions: the largest k with (n / exact)^(side - exact) >= (128 / exact)^k.
        const Boundary both[] = {{0, 0}, {1, 1},  {2, 2},   {3, 3},   {4, 4},   {5, 5},   {6, 6},   {7, 7},
                                 {8, 8}, {12, 9}, {16, 10}, {23, 11}, {32, 12}, {46, 13}, {64, 14}, {91, 15}};
        check_boundaries(both, 32, -1, BucketSides::both);
        std::vector<Boundary> after;
        for (const Boundary& b : both)
            if (b.distance > 0)
                after.push_back({b.distance, b.bucket + 16});
        check_boundaries(after, 32, 1, BucketSides::both);
        const Boundary past[] = {{0, 0},   {1, 1},   {2, 2},   {3, 3},   {4, 4},   {5, 5},   {6, 6},   {7, 7},
                                 {8, 8},   {9, 9},   {10, 10}, {11, 11}, {12, 12}, {13, 13}, {14, 14}, {15, 15},
                                 {16, 16}, {19, 17}, {21, 18}, {24, 19}, {27, 20}, {31, 21}, {35, 22}, {40, 23},
                                 {46, 24}, {52, 25}, {59, 26}, {67, 27}, {77, 28}, {87, 29}, {99, 30}, {113, 31}};
        check_boundaries(past, 32, -1, BucketSides::past);
        for (const int64_t future : {1, 2, 200}) CHECK(distance_bucket(future, 32, 128, BucketSides::past) == 0);
        // A doubling begins a new bucket exactly where logarithms would round to just below it.
        for (int64_t k = 0; k < 5; ++k) {
            CHECK(distance_bucket(-(int64_t{5} << k), 10, 160, BucketSides::past) == 5 + k);
            CHECK(distance_bucket(1 - (int64_t{5} << k), 10, 160, BucketSides::past) == 4 + k);
        }
        // The smallest: one distance a side, and everything beyond it.
        for (const int64_t far : {1, 2, 100}) {
            CHECK(distance_bucket(-far, 4, 2, BucketSides::both) == 1);
            CHECK(distance_bucket(far, 4, 2, BucketSides::both) == 3);
            CHECK(distance_bucket(-far, 2, 2, BucketSides::past) == 1);
        }
    }

    TEST_CASE("bucket_bias of one query is that of the last query of many") {
        const Tensor scores = uniform({2, 7, 7}, "scores"), weight = uniform({8}, "weight");
        const Tensor all = bucket_bias(scores, weight, 6, BucketSides::both, 0);
        const Tensor one = bucket_bias(slice(scores, 1, 6, 7), weight, 6, BucketSides::both, 6);
        CHECK(one.values() == slice(all, 1, 6, 7).values());
    }

    TEST_CASE("neighbours: places left and right of each position, 0 beyond the ends") {
        const Tensor x = Tensor::of({1, 3}, {1, 2, 3});
        using Row = std::vector<real>;
        CHECK(neighbours(x, 3).values() == Row{0, 1, 2, 1, 2, 3, 2, 3, 0});
        CHECK(neighbours(x, 2).values() == Row{0, 1, 1, 2, 2, 3});
        CHECK(neighbours(x, 1).values() == x.values());
    }

    TEST_CASE("cumulative_sum and unit_rows by hand") {
        const Tensor x = Tensor::of({1, 3, 2}, {1, 10, 2, 20, 3, 30});
        CHECK(cumulative_sum(x).values() == std::vector<real>{1, 10, 3, 30, 6, 60});
        const std::vector<real> unit = unit_rows(Tensor::of({3, 2}, {3, -4, 0, 0, 300, 400})).values();
        const real expected[] = {real{0.6}, real{-0.8}, 0, 0, real{0.6}, real{0.8}};
        for (std::size_t i = 0; i < 6; ++i) CHECK(unit[i] == doctest::Approx(expected[i]).epsilon(1e-6));
    }

    TEST_CASE("bad arguments of ops over positions") {
        const Ranges two = {{0, 1}, {1, 4}};
        check_all({
            {"neighbours: two axes are needed: x [2], rank 1", [] { neighbours(t({2}), 3); }},
            {"neighbours: width out of range: width 0, at least 1",
             [] {
                 neighbours(t({2, 3}), 0);
             }},
            {"cumulative_sum: three axes are needed: x [2, 3], rank 2",
             [] {
                 cumulative_sum(t({2, 3}));
             }},
            {"unit_rows: epsilon out of range: epsilon 0, more than 0",
             [] {
                 unit_rows(t({2, 3}), 0);
             }},
            {"bucket_bias: shapes do not fit: scores [2, 3], weight [4]",
             [] {
                 bucket_bias(t({2, 3}), t({4}), 9, BucketSides::both, 0);
             }},
            {"bucket_bias: position out of range: first position -1, queries 1",
             [] {
                 bucket_bias(t({2, 1, 3}), t({4}), 9, BucketSides::both, -1);
             }},
            {"bucket_bias: range leaves the axis: 1 to 4, scores [2, 1, 3]",
             [=] {
                 bucket_bias(t({2, 1, 3}), t({4}), 9, BucketSides::both, 0, two);
             }},
            {"buckets: must divide by 4: buckets 6", [] { distance_bucket(0, 6, 9, BucketSides::both); }},
            {"buckets: must divide by 2: buckets 0", [] { distance_bucket(0, 0, 9, BucketSides::past); }},
            {"buckets: max distance out of range: max distance 16, more than 16",
             [] { distance_bucket(0, 32, 16, BucketSides::past); }},
        });
    }
}

}  // namespace positions_test_both
