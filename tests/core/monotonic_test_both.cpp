#include <doctest/doctest.h>

#include <cmath>

#include "core/ops.h"
#include "tests/core/broken_calls.h"
#include "tests/oracles/gradient_check.h"

namespace monotonic_test_both {

using namespace attend;
using namespace attend::oracles;

namespace {

double total(const Tensor& x) {
    double sum = 0;
    for (const real v : x.values()) sum += static_cast<double>(v);
    return sum;
}

}  // namespace

TEST_SUITE("monotonic ops") {
    TEST_CASE("monotonic_alignment with certain probabilities stops where a reader would") {
        const auto run = [](std::initializer_list<real> p, const Tensor& previous, const Ranges& ranges = {}) {
            return monotonic_alignment(Tensor::of({1, 5}, p), previous, ranges).values();
        };
        using Row = std::vector<real>;
        const Tensor at_1 = Tensor::of({1, 5}, {0, 1, 0, 0, 0});
        CHECK(run({0, 0, 1, 1, 0}, {}) == Row{0, 0, 1, 0, 0});
        CHECK(run({1, 0, 1, 1, 0}, at_1) == Row{0, 0, 1, 0, 0});  // what is before the last stop is not looked at
        CHECK(run({1, 1, 1, 1, 1}, at_1) == Row{0, 1, 0, 0, 0});  // the same position once more
        CHECK(run({1, 0, 0, 0, 0}, at_1) == Row{0, 0, 0, 0, 0});  // read to the end
        CHECK(run({1, 0.5, 1, 1, 1}, at_1) == Row{0, 0.5, 0.5, 0, 0});
        CHECK(run({1, 1, 1, 1, 1}, {}, {{2, 4}}) == Row{0, 0, 1, 0, 0});  // the first of the range
        CHECK(run({1, 1, 0, 0, 1}, {}, {{2, 4}}) == Row{0, 0, 0, 0, 0});
    }

    TEST_CASE("monotonic_alignment loses no mass but that of readers who reach the end, over many positions") {
        constexpr int64_t length = 20000;
        const Tensor p = watch(uniform({1, length}, "p", 0, 0.01));
        Tensor a = monotonic_alignment(p, {});
        CHECK(total(a) == doctest::Approx(1).epsilon(1e-4));
        for (int t = 0; t < 3; ++t) a = monotonic_alignment(p, a);
        CHECK(total(a) == doctest::Approx(1).epsilon(1e-4));
        double left = 1;
        const Tensor few = uniform({1, 100}, "p", 0, 0.01);
        for (const real v : few.values()) left *= 1 - static_cast<double>(v);
        CHECK(total(monotonic_alignment(few, {})) == doctest::Approx(1 - left).epsilon(1e-5));
        Gradients sink;
        const Tensor ones = Tensor::full({1, length}, 1);
        backward({&a, 1}, {&ones, 1}, sink);
        for (const real g : sink.of(p).values()) REQUIRE(std::isfinite(g));
    }

    TEST_CASE("chunkwise spreads each stop over its chunk, whatever the scores") {
        const Tensor stops = Tensor::of({1, 5}, {0, 0.25, 0, 0.75, 0});
        const Tensor u = watch(Tensor::of({1, 5}, {-1e4, 1e4, 3, 3, -1e4}));
        CHECK(chunkwise(stops, u, 1).values() == stops.values());
        const Tensor y = chunkwise(stops, u, 2);
        CHECK(y.values() == std::vector<real>{0, 0.25, 0.375, 0.375, 0});
        CHECK(chunkwise(stops, u, 3).values() == std::vector<real>{0, 1, 0, 0, 0});
        CHECK(chunkwise(stops, u, 3, {{2, 5}}).values() == std::vector<real>{0, 0, 0.375, 0.375, 0});
        Gradients sink;
        const Tensor c = uniform({1, 5}, "cotangent");
        backward({&y, 1}, {&c, 1}, sink);
        for (const real g : sink.of(u).values()) CHECK(std::isfinite(g));
        const Tensor some = uniform({4, 50}, "stops", 0, 1);
        CHECK(total(chunkwise(some, uniform({4, 50}, "scores", -5, 5), 7)) == doctest::Approx(total(some)).epsilon(1e-5));
    }

    TEST_CASE("bad arguments of monotonic ops") {
        const Ranges two = {{0, 1}, {1, 4}};
        check_all({
            {"monotonic_alignment: shapes do not fit: p [2, 3], previous [3, 2]",
             [] {
                 monotonic_alignment(t({2, 3}), t({3, 2}));
             }},
            {"monotonic_alignment: shapes do not fit: p [], previous nothing", [] { monotonic_alignment(t({}), {}); }},
            {"monotonic_alignment: one range a row: 2 ranges, 3 rows",
             [=] {
                 monotonic_alignment(t({3, 4}), {}, two);
             }},
            {"chunkwise: shapes do not fit: stops [2, 3], u [3, 2]",
             [] {
                 chunkwise(t({2, 3}), t({3, 2}), 2);
             }},
            {"chunkwise: width out of range: width 0, at least 1",
             [] {
                 chunkwise(t({2, 3}), t({2, 3}), 0);
             }},
            {"chunkwise: range leaves the axis: 1 to 4, shape [2, 3]",
             [=] {
                 chunkwise(t({2, 3}), t({2, 3}), 2, two);
             }},
        });
    }
}

}  // namespace monotonic_test_both
