// The statistics of a comparison against tables and against the definition of the noncentral t
// distribution.
#include "train/study/compare/statistics.h"

#include <doctest/doctest.h>

#include "core/base/random.h"
#include "train/study/compare/reliability.h"

#include <cmath>
#include <limits>

namespace compare_statistics_test {

TEST_SUITE_BEGIN("train: compare statistics");

using namespace attend;
using namespace attend::compare;

namespace {

double normal_below(double x) { return std::erfc(-x / std::sqrt(2.0)) / 2; }

// P(|T'| > t) for T' = (Z + noncentrality) / s, s^2 chi-square over its degrees: over the density
// of s, by Simpson's rule.
double power_by_quadrature(double t, double degrees, double noncentrality) {
    const auto density = [&](double s) {
        return s <= 0 ? (degrees == 1 ? std::sqrt(2 / M_PI) : 0.0)
                      : 2 * std::exp(degrees / 2 * std::log(degrees / 2) - std::lgamma(degrees / 2) +
                                     (degrees - 1) * std::log(s) - degrees * s * s / 2);
    };
    const auto beyond = [&](double s) {
        return 1 - normal_below(t * s - noncentrality) + normal_below(-t * s - noncentrality);
    };
    constexpr int parts = 20000;
    const double step = 10.0 / parts;
    double sum = 0;
    for (int i = 0; i <= parts; ++i) {
        const double s = step * i;
        sum += (i == 0 || i == parts ? 1 : i % 2 == 1 ? 4 : 2) * density(s) * beyond(s);
    }
    return sum * step / 3;
}

}  // namespace

TEST_CASE("Student's t as tables have it") {
    const double table[][3] = {{0.05, 1, 12.7062},  {0.05, 2, 4.30265}, {0.05, 4, 2.77645}, {0.05, 10, 2.22814},
                               {0.05, 30, 2.04227}, {0.01, 1, 63.6567}, {0.01, 2, 9.92484}, {0.01, 10, 3.16927},
                               {0.1, 3, 2.35336},   {0.001, 5, 6.86883}};
    for (const auto& [alpha, degrees, t] : table) {
        CHECK(critical_t(alpha, degrees) == doctest::Approx(t).epsilon(2e-6));
        CHECK(two_sided_p(t, degrees) == doctest::Approx(alpha).epsilon(1e-5));
        CHECK(two_sided_p(-t, degrees) == two_sided_p(t, degrees));
    }
    CHECK(two_sided_p(0, 3) == 1);
    CHECK(two_sided_p(1, 1) == doctest::Approx(0.5));  // Cauchy: quartiles at 1
    CHECK(two_sided_p(1e200, 2) < 1e-100);
}

TEST_CASE("means, intervals and paired tests") {
    const std::vector<double> three = {1, 2, 6};
    const Moments m = moments_of(three);
    CHECK(m.mean == 3);
    CHECK(m.deviation == doctest::Approx(std::sqrt(7.0)));
    CHECK(m.half_width.value() == doctest::Approx(4.30265 * std::sqrt(7.0 / 3)).epsilon(1e-5));
    CHECK(paired_p(m).value() == doctest::Approx(two_sided_p(3 * std::sqrt(3.0 / 7), 2)));
    // one value has no spread, none no mean
    CHECK(!moments_of(std::vector<double>{4}).half_width);
    CHECK(!paired_p(moments_of(std::vector<double>{4})));
    CHECK(std::isnan(moments_of({}).mean));
    // equal differences leave nothing to test with, unless they are 0
    CHECK(paired_p(moments_of(std::vector<double>{0, 0, 0})).value() == 1);
    CHECK(!paired_p(moments_of(std::vector<double>{0.25, 0.25, 0.25})));
    CHECK(moments_of(std::vector<double>{0.1 + 0.2, 0.3, 0.3}).deviation == 0);  // rounding is no spread
    CHECK(moments_of(std::vector<double>{0.3, 0.3}).half_width.value() == 0);
}

TEST_CASE("power is the noncentral t distribution's") {
    for (const int64_t pairs : {2, 3, 5, 10, 40})
        for (const double effect : {0.0, 0.2, 0.5, 1.0, 3.0, 20.0})
            for (const double alpha : {0.1, 0.05, 0.005}) {
                CAPTURE(pairs);
                CAPTURE(effect);
                const double n = static_cast<double>(pairs);
                const double expected = power_by_quadrature(critical_t(alpha, n - 1), n - 1, effect * std::sqrt(n));
                CHECK(power_of(effect, pairs, alpha) == doctest::Approx(expected).epsilon(1e-6));
            }
    CHECK(power_of(0, 7, 0.05) == doctest::Approx(0.05));
    CHECK(power_of(0.5, 34, 0.05) == doctest::Approx(0.80778).epsilon(1e-4));  // Cohen 1988: 34 pairs for 0.5 and 80 %
    CHECK(power_of(1e300, 2, 1e-4) == 1);
    CHECK(power_of(1e6, 2, 0.001) == doctest::Approx(1));
}

TEST_CASE("how many pairs, and how small an effect") {
    CHECK(pairs_needed(0.5, 0.05, 0.8) == 34);
    CHECK(pairs_needed(0.5, 0.05, 0.95) == 54);
    CHECK(pairs_needed(0.2, 0.05, 0.8) == 199);
    CHECK(pairs_needed(0.8, 0.05, 0.8) == 15);
    CHECK(!pairs_needed(0, 0.05, 0.8));
    CHECK(!pairs_needed(0.001, 0.05, 0.8));
    CHECK(pairs_needed(100, 0.05, 0.8) == 2);
    for (const int64_t pairs : {2, 3, 20})
        CHECK(power_of(smallest_effect(pairs, 0.05, 0.8), pairs, 0.05) == doctest::Approx(0.8));
}

TEST_CASE("Holm's correction") {
    const std::vector<double> p = {0.01, 0.04, 0.03, 0.005};
    const std::vector<double> corrected = holm(p), expected = {0.03, 0.06, 0.06, 0.02};
    for (std::size_t i = 0; i < p.size(); ++i) CHECK(corrected[i] == doctest::Approx(expected[i]));
    CHECK(holm(std::vector<double>{0.6, 0.9}) == std::vector<double>{1, 1});
    CHECK(holm({}).empty());
    CHECK(holm(std::vector<double>{0.2}) == std::vector<double>{0.2});
}

TEST_CASE("the sign-flip test is exact: as counted over all signs") {
    Stream stream(3, "flips");
    for (const std::size_t n : {1u, 2u, 6u, 9u, 12u}) {
        std::vector<double> d;
        for (std::size_t i = 0; i < n; ++i) d.push_back(stream.normal() + 0.5);
        double sum = 0;
        for (const double x : d) sum += x;
        int far = 0;
        for (uint32_t signs = 0; signs < (1u << n); ++signs) {
            double other = 0;
            for (std::size_t i = 0; i < n; ++i) other += (signs >> i & 1) != 0 ? d[i] : -d[i];
            far += std::abs(other) >= std::abs(sum) - 1e-12 ? 1 : 0;
        }
        CHECK(sign_flip_p(d).value() == doctest::Approx(far / std::exp2(static_cast<double>(n))));
    }
    CHECK(sign_flip_p(std::vector<double>(6, 0.25)).value() == doctest::Approx(1 / 32.0));  // a constant gain
    CHECK(sign_flip_p(std::vector<double>{0, 0, 0}).value() == 1);
    CHECK(!sign_flip_p({}));
    // beyond 40 differences signs are drawn
    std::vector<double> many;
    for (int i = 0; i < 60; ++i) many.push_back(i % 3 == 0 ? -1.0 : 1.0);       // 40 of 60
    CHECK(sign_flip_p(many).value() == doctest::Approx(0.0135).epsilon(0.05));  // P(|X - 30| >= 10), binomial
    CHECK(smallest_flip_p(6) == 1 / 32.0);
    CHECK(pairs_for_flip(1, 0.05) == 6);
    CHECK(pairs_for_flip(10, 0.05) == 9);
}

TEST_CASE("the mean of the middle half") {
    const TrimmedMean m = trimmed_mean({5, 1, 100, 2, 3, 4, 6, -50});
    CHECK(m.mean == doctest::Approx(3.5));  // of 2, 3, 4, 5
    // winsorized: 2 2 2 3 4 5 5 5, sum of squares about 3.5 is 14; h = 4
    CHECK(m.half_width.value() == doctest::Approx(critical_t(0.05, 3) * std::sqrt(14.0 / 12)));
    CHECK(trimmed_mean({2}).mean == 2);
    CHECK(!trimmed_mean({2}).half_width);
}

TEST_CASE("an effect's interval inverts the noncentral t distribution") {
    for (const double t : {0.0, 1.5, 4.0})
        for (const int64_t n : {5, 12}) {
            const double high = effect_at(t, n, 0.1), low = effect_at(t, n, 0.9);
            CHECK(low < high);
            CHECK(low <= t / std::sqrt(static_cast<double>(n)));
            // one-sided power at the level whose critical value is t
            if (t > 0)
                CHECK(power_by_quadrature(t, static_cast<double>(n) - 1, high * std::sqrt(static_cast<double>(n))) ==
                      doctest::Approx(0.9).epsilon(0.01));
        }
}

TEST_CASE("shares of runs that train, and who is better") {
    CHECK(fisher_p(3, 3, 0, 3) == doctest::Approx(0.1));  // the lady tasting tea, two-sided
    CHECK(fisher_p(8, 10, 8, 10) == doctest::Approx(1));
    CHECK(fisher_p(10, 10, 2, 10) == doctest::Approx(2 * 45.0 / 125970));  // C(10, 2) of C(20, 12), at both ends
    CHECK(fisher_p(0, 5, 0, 5) == 1);
    const std::vector<double> a = {1, 2, 3, 4}, b = {0, 2, 2.5, 5};
    const Improvement i = improvement_of(a, b, Better::higher, 0.95);
    CHECK(i.probability == doctest::Approx((1 + 1.5 + 3 + 3) / 16));
    CHECK(i.limits.low < i.probability);
    CHECK(i.limits.high > i.probability);
    CHECK(improvement_of(a, b, Better::lower, 0.95).probability == doctest::Approx(1 - i.probability));
    const Improvement all = improvement_of(std::vector<double>{5, 6, 7}, std::vector<double>{1, 2, 3}, Better::higher, 0.95);
    CHECK(all.probability == doctest::Approx(1));
    CHECK(all.limits.low == doctest::Approx(std::pow(0.025, 1 / 3.0)));  // three seeds prove little
}

TEST_SUITE_END();

}  // namespace compare_statistics_test
