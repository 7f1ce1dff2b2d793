#include <doctest/doctest.h>

#include <cmath>

#include "core/ops.h"
#include "tests/core/broken_calls.h"
#include "tests/oracles/alignments.h"
#include "tests/oracles/gradient_check.h"

namespace alignment_test_both {

using namespace attend;
using namespace attend::oracles;

namespace {

double largest_difference(const Tensor& a, const Tensor& b) {
    REQUIRE(a.shape() == b.shape());
    double worst = 0;
    for (int64_t i = 0; i < a.size(); ++i) worst = std::max(worst, static_cast<double>(std::abs(a.data()[i] - b.data()[i])));
    return worst;
}

std::vector<real> gradient_of(Tensor (*op)(const Tensor&), const Tensor& x, const Tensor& cotangent) {
    const Tensor leaf = watch(x), y = op(leaf);
    Gradients sink;
    backward({&y, 1}, {&cotangent, 1}, sink);
    return sink.of(leaf).values();
}

}  // namespace

TEST_SUITE("alignments") {
    TEST_CASE("entmax15 by sorting equals bisection, and entmax at 2 sparsemax, where they are 0 too") {
        const double limit = sizeof(real) == 4 ? 1e-6 : 1e-10;
        for (const double spread : {0.01, 1.0, 4.0, 30.0}) {
            const Tensor x = uniform({200, 37}, "scores", -spread, spread);
            const Tensor sorted = entmax15(x), general = entmax(x, real{1.5});
            double worst = 0;
            int64_t zeros = 0, otherwise = 0;
            for (int64_t row = 0; row < 200; ++row) {
                const real* const z = x.data() + row * 37;
                const std::vector<double> halved = entmax_by_bisection(std::vector<double>(z, z + 37), 1.5);
                for (int64_t i = 0; i < 37; ++i) {
                    const double y = static_cast<double>(sorted.data()[row * 37 + i]), e = halved[static_cast<std::size_t>(i)];
                    worst = std::max(worst, std::abs(y - e));
                    zeros += y == 0;
                    otherwise += (y == 0) != (e == 0);
                }
            }
            CHECK(worst <= limit);
            CHECK(otherwise == 0);
            CHECK((zeros > 0) == (spread >= 1));
            CHECK(largest_difference(sorted, general) <= limit);
            CHECK(largest_difference(entmax(x, 2), sparsemax(x)) <= limit);
        }
    }

    TEST_CASE("entmax grows sparser with alpha, from softmax to sparsemax") {
        const Tensor x = uniform({100, 20}, "scores", -2, 2);
        int64_t before = 0;
        for (const double alpha : {1.01, 1.25, 1.5, 1.75, 2.0}) {
            const Tensor y = entmax(x, static_cast<real>(alpha));
            int64_t zeros = 0;
            for (const real v : y.values()) zeros += v == 0;
            CHECK(zeros >= before);
            before = zeros;
            if (alpha == 1.01)
                CHECK(largest_difference(y, softmax(x)) < 0.01);
        }
        CHECK(before > 1500);
    }

    TEST_CASE("at the edge of the support the gradient is finite and one of the one-sided derivatives") {
        // The second score is exactly where its weight becomes 0: 2 below the first for 1.5-entmax,
        // 1 for sparsemax, where the derivatives of both sides differ.
        const Tensor cotangent = Tensor::of({1, 2}, {1, 3});
        const auto at15 = gradient_of([](const Tensor& x) { return entmax15(x); }, Tensor::of({1, 2}, {2, 0}), cotangent);
        CHECK(at15 == std::vector<real>{0, 0});  // both sides agree
        const auto at2 = gradient_of([](const Tensor& x) { return entmax(x, 2); }, Tensor::of({1, 2}, {1, 0}), cotangent);
        const bool outside = at2 == std::vector<real>{0, 0}, inside = at2 == std::vector<real>{-1, 1};
        CHECK((outside || inside));
        for (const double alpha : {1.1, 1.5, 1.9, 2.0})
            for (const double step : {-1e-3, -1e-6, 0.0, 1e-6, 1e-3}) {
                const Tensor x = watch(Tensor::of({1, 3}, {0, static_cast<real>(step - 1 / (alpha - 1)), -100}));
                const Tensor y = entmax(x, static_cast<real>(alpha)), c = Tensor::of({1, 3}, {1, 3, -2});
                Gradients sink;
                backward({&y, 1}, {&c, 1}, sink);
                const std::vector<real> g = sink.of(x).values();
                CHECK(g[2] == 0);
                for (const real v : g) CHECK(std::abs(v) <= 1.001);  // s (3 - 1) / 2 at most
                if (step < -1e-5)
                    CHECK(g == std::vector<real>{0, 0, 0});
            }
    }

    TEST_CASE("softmax_with_sink leaves weight to the sink: none given is a sink of 0") {
        const Tensor x = uniform({7, 9}, "scores", -3, 3);
        CHECK(softmax_with_sink(x, {}).values() == softmax_with_sink(x, Tensor::zeros({1})).values());
        CHECK(largest_difference(softmax_with_sink(x, Tensor::full({1}, -100)), softmax(x)) < 1e-6);
        for (const real y : softmax_with_sink(x, Tensor::full({1}, 200)).values()) CHECK(y < 1e-30);
        const Tensor uniform_weights = softmax_with_sink(Tensor::zeros({1, 3}), {});
        for (const real y : uniform_weights.values()) CHECK(y == doctest::Approx(0.25));
    }

    TEST_CASE("top_softmax of as many as there are is softmax, and within makes weights of any function") {
        const Tensor x = uniform({2, 3, 6}, "scores", -3, 3);
        const Ranges ranges = {{0, 6}, {0, 0}, {2, 5}, {0, 1}, {5, 6}, {0, 3}};
        CHECK(largest_difference(top_softmax(x, 6, ranges, 2), softmax(x, ranges, 2)) < 1e-6);
        CHECK(largest_difference(top_softmax(x, 1000, ranges), softmax(x, ranges)) < 1e-6);
        const Tensor inside = within(sigmoid(x), ranges), all = sigmoid(x);
        for (int64_t row = 0; row < 6; ++row)
            for (int64_t i = 0; i < 6; ++i) {
                const Range r = ranges[static_cast<std::size_t>(row)];
                CHECK(inside.data()[row * 6 + i] == (i >= r.begin && i < r.end ? all.data()[row * 6 + i] : 0));
            }
    }

    TEST_CASE("bad arguments of alignments") {
        const Ranges two = {{0, 1}, {1, 4}};
        const real nan = std::numeric_limits<real>::quiet_NaN();
        check_all({
            {"entmax15: one range a row: 2 ranges, 3 rows",
             [=] {
                 entmax15(t({3, 4}), two);
             }},
            {"entmax: range leaves the axis: 1 to 4, shape [2, 3]",
             [=] {
                 entmax(t({2, 3}), 2, two);
             }},
            {"entmax: alpha out of range: alpha 1, more than 1 and at most 2",
             [] {
                 entmax(t({2, 3}), 1);
             }},
            {"entmax: alpha out of range: alpha 2.5, more than 1 and at most 2",
             [] {
                 entmax(t({2, 3}), 2.5);
             }},
            {"entmax: alpha out of range: alpha nan, more than 1 and at most 2",
             [=] {
                 entmax(t({2, 3}), nan);
             }},
            {"softmax_with_sink: sink of another shape: sink [2], needs [1]",
             [] {
                 softmax_with_sink(t({2, 3}), t({2}));
             }},
            {"softmax_with_sink: one range a row: 2 ranges, 3 rows",
             [=] {
                 softmax_with_sink(t({3, 4}), {}, two);
             }},
            {"top_softmax: k out of range: k 0, at least 1",
             [] {
                 top_softmax(t({2, 3}), 0);
             }},
            {"top_softmax: one range a row: 2 ranges, 3 rows",
             [=] {
                 top_softmax(t({3, 4}), 1, two);
             }},
            {"within: range leaves the axis: 1 to 4, shape [2, 3]",
             [=] {
                 within(t({2, 3}), two);
             }},
        });
    }
}

}  // namespace alignment_test_both
