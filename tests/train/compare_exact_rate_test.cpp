// The exact interval of a share against its definition and against tables, and that of a bounded
// mean.
#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include "core/base/error.h"
#include "core/base/random.h"
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

TEST_CASE("bounded mean: of zeros and ones it is the exact interval of a share") {
    for (const int64_t n : {1, 2, 5, 10, 40, 200})
        for (const int64_t ones : {int64_t{0}, int64_t{1}, n / 2, n - 1, n}) {
            std::vector<double> values(static_cast<std::size_t>(n), 0.0);
            std::fill_n(values.begin(), ones, 1.0);
            CAPTURE(n);
            CAPTURE(ones);
            const Limits mean = bounded_mean(values, 0, 1), rate = exact_rate(ones, n);
            CHECK(mean.low == doctest::Approx(rate.low).epsilon(1e-7));
            CHECK(mean.high == doctest::Approx(rate.high).epsilon(1e-7));
            for (double& x : values) x = 300 - 100 * x;
            CHECK(bounded_mean(values, 200, 300).low == doctest::Approx(300 - 100 * rate.high).epsilon(1e-7));
        }
    CHECK_THROWS_AS(bounded_mean(std::vector<double>{0.5, 2}, 0, 1), MachineError);
}

TEST_CASE("bounded mean: its limits are quantiles of drawn weights") {
    const std::vector<double> values = {0.3, 0.9, 0.31, 0.9, 0.55};
    const Limits limits = bounded_mean(values, 0, 1, 0.9);
    Stream stream(1, "weights");
    constexpr int draws = 20000;
    int below = 0, above = 0;
    for (int i = 0; i < draws; ++i) {
        double sum = 0, low = 0, high = 0;
        for (std::size_t k = 0; k <= values.size(); ++k) {
            const double w = -std::log(1 - stream.uniform());
            sum += w;
            low += w * (k < values.size() ? values[k] : 0);
            high += w * (k < values.size() ? values[k] : 1);
        }
        below += low / sum < limits.low;
        above += high / sum > limits.high;
    }
    CHECK(below == doctest::Approx(0.05 * draws).epsilon(0.1));
    CHECK(above == doctest::Approx(0.05 * draws).epsilon(0.1));
    // What is known less well has wider limits.
    const std::vector<double> lower = {0.3, 0.9, 0.1, 0.9, 0.55}, upper = {0.3, 1, 0.31, 0.9, 0.55};
    const Limits wide = bounded_mean(lower, upper, 0, 1, 0.9);
    CHECK(wide.low == bounded_mean(lower, 0, 1, 0.9).low);
    CHECK(wide.high == bounded_mean(upper, 0, 1, 0.9).high);
    CHECK(wide.low < limits.low);
    CHECK(wide.high > limits.high);
}

TEST_SUITE_END();

}  // namespace compare_exact_rate_test
