// The exact interval of a share against its definition and against tables.
#include <doctest/doctest.h>

#include <cmath>

#include "core/base/error.h"
#include "train/study/compare/rates.h"

namespace compare_exact_rate_test {

TEST_SUITE_BEGIN("train: compare exact rate");

using namespace attend;
using namespace attend::compare;

namespace {

double binomial(int64_t n, int64_t k, double p) {
    const auto a = static_cast<double>(n), b = static_cast<double>(k);
    return std::exp(std::lgamma(a + 1) - std::lgamma(b + 1) - std::lgamma(a - b + 1)) * std::pow(p, b) * std::pow(1 - p, a - b);
}

// P(first <= X <= last).
double between(int64_t n, int64_t first, int64_t last, double p) {
    double sum = 0;
    for (int64_t k = first; k <= last; ++k) sum += binomial(n, k, p);
    return sum;
}

}  // namespace

TEST_CASE("exact rate: each end has its tail by the definition, and tables agree") {
    for (const int64_t n : {1, 3, 5, 10, 40})
        for (int64_t x = 0; x <= n; ++x)
            for (const double confidence : {0.8, 0.95, 0.999}) {
                CAPTURE(n);
                CAPTURE(x);
                const Limits rate = exact_rate(x, n, confidence);
                const double tail = (1 - confidence) / 2;
                if (x > 0)
                    CHECK(between(n, x, n, rate.low) == doctest::Approx(tail).epsilon(1e-8));
                else
                    CHECK(rate.low == 0);
                if (x < n)
                    CHECK(between(n, 0, x, rate.high) == doctest::Approx(tail).epsilon(1e-8));
                else
                    CHECK(rate.high == 1);
            }
    // As R's binom.test prints them.
    CHECK(exact_rate(0, 10).high == doctest::Approx(0.3084971).epsilon(1e-6));
    CHECK(exact_rate(2, 10).low == doctest::Approx(0.02521073).epsilon(1e-6));
    CHECK(exact_rate(2, 10).high == doctest::Approx(0.5560955).epsilon(1e-6));
    CHECK_THROWS_AS(exact_rate(1, 0), MachineError);
    CHECK_THROWS_AS(exact_rate(4, 3), MachineError);
}

TEST_CASE("exact rate: it holds the true share at least as often as it says") {
    for (const double p : {0.001, 0.1, 0.3, 0.5, 0.97})
        for (const int64_t n : {5, 10, 20}) {
            double covered = 0;
            for (int64_t x = 0; x <= n; ++x) {
                const Limits rate = exact_rate(x, n);
                covered += (rate.low <= p && p <= rate.high) ? binomial(n, x, p) : 0;
            }
            CAPTURE(p);
            CAPTURE(n);
            CHECK(covered >= 0.95);
        }
}

TEST_SUITE_END();

}  // namespace compare_exact_rate_test
