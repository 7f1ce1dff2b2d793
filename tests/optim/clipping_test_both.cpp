#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "core/base/random.h"
#include "optim/optimizer.h"

namespace clipping_test_both {

using namespace attend;

namespace {

bool same_bits(const std::vector<real>& a, const std::vector<real>& b) {
    return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(real)) == 0;
}

template <class F>
std::string message(F f) {
    try {
        f();
    } catch (const std::exception& e) {
        return e.what();
    }
    return "";
}

}  // namespace

TEST_SUITE("clipping") {
    TEST_CASE("gradient_norm is the Euclidean norm, the same bits for any number of threads") {
        Stream stream(3, "norm");
        for (int64_t size : {0, 1, 130, 16383, 16384, 16385, 100003}) {
            CAPTURE(size);
            std::vector<real> g(static_cast<std::size_t>(size));
            long double sum = 0;
            for (real& x : g) {
                x = stream.normal();
                sum += static_cast<long double>(x) * static_cast<long double>(x);
            }
            Workers one(1);
            const double norm = gradient_norm(g.data(), size, one);
            CHECK(norm == doctest::Approx(static_cast<double>(std::sqrt(sum))).epsilon(1e-13));
            for (int threads : {2, 3, 4}) {
                Workers many(threads);
                CHECK(gradient_norm(g.data(), size, many) == norm);
            }
        }
    }

    TEST_CASE("gradient_norm of large and small values neither overflows nor loses anything") {
        Workers one(1);
        const std::vector<real> large(3, real{1e30f}), small(3, real{1e-30f});
        CHECK(gradient_norm(large.data(), 3, one) == doctest::Approx(std::sqrt(3.0) * static_cast<double>(1e30f)));
        CHECK(gradient_norm(small.data(), 3, one) == doctest::Approx(std::sqrt(3.0) * static_cast<double>(1e-30f)));
        const std::vector<real> bad = {1, std::numeric_limits<real>::quiet_NaN()};
        CHECK(std::isnan(gradient_norm(bad.data(), 2, one)));
    }

    TEST_CASE("clip_value clips every element, in place, leaves NaN, and knows its limits") {
        const real nan = std::numeric_limits<real>::quiet_NaN(), infinity = std::numeric_limits<real>::infinity();
        Workers workers(2);
        std::vector<real> g(40000);
        Stream stream(4, "clip");
        for (real& x : g) x = stream.normal();
        g[3] = infinity;
        g[4] = -infinity;
        const std::vector<real> before = g;
        const int64_t n = static_cast<int64_t>(g.size());
        clip_value(g.data(), n, 0, workers);
        CHECK(same_bits(g, before));
        g[5] = nan;
        clip_value(g.data(), n, 0.5, workers);
        CHECK(std::isnan(g[5]));
        for (std::size_t i = 0; i < g.size(); ++i)
            if (i != 5 && g[i] != std::clamp(before[i], real{-0.5}, real{0.5}))
                FAIL("element ", i, ": ", g[i], " from ", before[i]);
        CHECK(message([&] { clip_value(g.data(), n, -2, workers); }) ==
              "clip_value: the limit must be finite and not negative: limit -2, least 0");
        CHECK(message([&] { clip_value(g.data(), -1, 1, workers); }) ==
              "clip_value: the size must not be negative: size -1, least 0");
    }

    TEST_CASE("clip_factor") {
        CHECK(clip_factor(10, 0) == 1);
        CHECK(clip_factor(0, 1) == 1);
        CHECK(clip_factor(0.5, 1) == 1);
        CHECK(clip_factor(4, 1) == doctest::Approx(1 / (4 + 1e-6)).epsilon(1e-15));
        CHECK(clip_factor(1, 1) < 1);  // 1e-6, as PyTorch
        CHECK(clip_factor(std::numeric_limits<double>::infinity(), 1) == 0);
        CHECK(std::isnan(clip_factor(std::numeric_limits<double>::quiet_NaN(), 1)));
        CHECK(message([] { clip_factor(1, -2); }) ==
              "clip_factor: the limit must be finite and not negative: limit -2, least 0");
    }
}

}  // namespace clipping_test_both
