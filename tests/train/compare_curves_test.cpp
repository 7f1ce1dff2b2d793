// Areas under curves, and the band that holds a whole mean curve: by hand, and simulated.
#include "train/study/compare/curves.h"

#include <doctest/doctest.h>

#include <cmath>

#include "core/base/error.h"
#include "core/base/random.h"
#include "train/study/compare/statistics.h"

namespace compare_curves_test {

TEST_SUITE_BEGIN("train: compare curves");

using namespace attend;
using namespace attend::compare;

TEST_CASE("area under a curve: trapezoids, then what the run counts as") {
    const Curve c{{10, 20, 40}, {0.2, 0.6, 0.8}, After::last};
    CHECK(area_under(c, 10, 40, 0).value() == doctest::Approx((10 * 0.4 + 20 * 0.7) / 30));
    CHECK(area_under(c, 10, 30, 0).value() == doctest::Approx((10 * 0.4 + 10 * 0.65) / 20));  // ends between two values
    CHECK(area_under(c, 0, 20, 0).value() == doctest::Approx((10 * 0.2 + 10 * 0.4) / 20));    // begins before the first
    CHECK(area_under(c, 15, 15, 0).value() == doctest::Approx(0.4));
    CHECK(area_under(c, 10, 80, 0).value() == doctest::Approx((10 * 0.4 + 20 * 0.7 + 40 * 0.8) / 70));
    CHECK(area_under(c, 50, 60, 0).value() == doctest::Approx(0.8));
    CHECK_THROWS_AS(area_under(c, 20, 10, 0), MachineError);
}

TEST_CASE("area under a curve: a run that broke off is the worst from there on, and never left out") {
    const Curve broke{{10, 20}, {0.9, 0.9}, After::worst};
    CHECK(area_under(broke, 10, 40, 0.1).value() == doctest::Approx((10 * 0.9 + 20 * 0.1) / 30));
    CHECK(area_under(broke, 10, 20, 0.1).value() == doctest::Approx(0.9));
    CHECK(area_under(Curve{{}, {}, After::worst}, 10, 40, 7).value() == 7);
    CHECK(!area_under(Curve{{}, {}, After::last}, 10, 40, 7));
    const Curve stopped{{10, 20}, {0.9, 0.9}, After::nothing};
    CHECK(!area_under(stopped, 10, 40, 0.1));
    CHECK(area_under(stopped, 10, 20, 0.1).value() == doctest::Approx(0.9));
}

TEST_CASE("the worst value is the metric's, or that of all runs") {
    const std::vector<Curve> curves = {{{1, 2}, {3, 0.5}, After::last}, {{1}, {4}, After::worst}};
    CHECK(worst_of(curves, Better::lower, {}) == 4);
    CHECK(worst_of(curves, Better::higher, {}) == 0.5);
    CHECK(worst_of(curves, Better::higher, 0) == 0);
    CHECK(worst_of({}, Better::lower, {}) == 0);
}

TEST_CASE("curves together: all runs at each place, or an end") {
    std::vector<Curve> curves = {
        {{10, 20, 30}, {1, 2, 3}, After::last}, {{10, 30}, {5, 7}, After::last}, {{10}, {4}, After::worst}};
    CHECK(common_start(curves).value() == 10);
    Together t = together(curves, 30, 9);
    CHECK(t.whole);
    CHECK(t.x == std::vector<double>{10, 20, 30});
    CHECK(t.y == std::vector<std::vector<double>>{{1, 2, 3}, {5, 6, 7}, {4, 9, 9}});
    curves[1].after = After::nothing;  // it is under way: nothing is known beyond 30
    t = together(curves, 50, 9);
    CHECK(!t.whole);
    CHECK(t.x.back() == 30);
    curves[1].after = After::last;
    t = together(curves, 50, 9);
    CHECK(t.whole);
    CHECK(t.x.back() == 50);
    CHECK(t.y[1].back() == 7);
    curves.push_back({{}, {}, After::nothing});  // not begun
    CHECK(together(curves, 50, 9).x.empty());
    t = together(std::vector<Curve>{{{}, {}, After::worst}}, 50, 9);
    CHECK(t.x == std::vector<double>{50});
    CHECK(t.y == std::vector<std::vector<double>>{{9}});
    curves.back() = {{20}, {1}, After::last};  // it begins later
    CHECK(together(curves, 50, 9).x == std::vector<double>{20, 30, 50});
}

TEST_CASE("a band: Student's interval at a single place, Bonferroni's where places have nothing to do with each other") {
    const std::vector<std::vector<double>> one = {{1}, {2}, {6}, {3}};
    const Band band = simultaneous_band(one, 0.95);
    CHECK(band.mean[0] == 3);
    CHECK(band.critical == doctest::Approx(critical_t(0.05, 3)));
    CHECK(band.high[0] - 3 == doctest::Approx(moments_of(std::vector<double>{1, 2, 6, 3}).half_width.value()));
    // The same deviations at all places: still one interval. At right angles: two.
    const std::vector<std::vector<double>> parallel = {{1, 2, 13}, {2, 4, 14}, {6, 12, 18}, {3, 6, 15}};
    CHECK(simultaneous_band(parallel, 0.95).critical == doctest::Approx(critical_t(0.05, 3)).epsilon(1e-3));
    const std::vector<std::vector<double>> square = {{1, 1}, {1, -1}, {-1, 1}, {-1, -1}};
    CHECK(simultaneous_band(square, 0.95).critical == doctest::Approx(critical_t(0.025, 3)));
}

TEST_CASE("a band stays in the metric's range, and needs three runs") {
    const std::vector<std::vector<double>> y = {{0.1, 0.9, 1}, {0.5, 1, 1}, {0.2, 0.8, 1}};
    const Band band = simultaneous_band(y, 0.95, 0, 1);
    for (std::size_t k = 0; k < 3; ++k) {
        CHECK(band.low[k] >= 0);
        CHECK(band.low[k] <= band.mean[k]);
        CHECK(band.mean[k] <= band.high[k]);
        CHECK(band.high[k] <= 1);
    }
    CHECK(band.low[2] == 1);  // all agree
    CHECK(band.high[2] == 1);
    CHECK(simultaneous_band(y, 0.95).high[0] > 1);
    CHECK(simultaneous_band({{1, 2}, {3, 4}}, 0.95).low.empty());
    CHECK(simultaneous_band({{1, 2}, {3, 4}}, 0.95).mean == std::vector<double>{2, 3});
    CHECK(simultaneous_band({{1, 2}, {1, 2}, {1, 2}}, 0.95).high == std::vector<double>{1, 2});
}

// Smooth curves: a sum of waves with independent normal weights is a stationary normal process.
TEST_CASE("a band holds the whole expected curve as often as it says, where Student's intervals do not") {
    Stream stream(1, "waves");
    constexpr int repeats = 400, places = 30;
    for (const int runs : {5, 10, 20}) {
        int held = 0, pointwise = 0;
        double width = 0;
        for (int r = 0; r < repeats; ++r) {
            std::vector<std::vector<double>> y(static_cast<std::size_t>(runs));
            for (std::vector<double>& run : y) {
                std::vector<double> a, b;
                for (int w = 0; w < 4; ++w) {
                    a.push_back(stream.normal());
                    b.push_back(stream.normal());
                }
                for (int k = 0; k < places; ++k) {
                    double value = 1 - std::exp(-k / 10.0);
                    for (std::size_t w = 0; w < a.size(); ++w) {
                        const double angle = 2.0 * static_cast<double>(w + 1) * k / places;
                        value += a[w] * std::cos(angle) + b[w] * std::sin(angle);
                    }
                    run.push_back(value);
                }
            }
            const Band band = simultaneous_band(y, 0.95);
            width += band.critical / repeats;
            const double student = critical_t(0.05, runs - 1) / band.critical;
            bool all = true, all_student = true;
            for (int k = 0; k < places; ++k) {
                const auto i = static_cast<std::size_t>(k);
                const double off = std::abs(band.mean[i] - (1 - std::exp(-k / 10.0)));
                all &= off <= band.high[i] - band.mean[i];
                all_student &= off <= student * (band.high[i] - band.mean[i]);
            }
            held += all;
            pointwise += all_student;
        }
        CAPTURE(runs);
        CAPTURE(held);
        CHECK(held >= 0.95 * repeats - 2.6 * std::sqrt(0.05 * 0.95 * repeats));
        CHECK(pointwise < 0.9 * repeats);
        CHECK(width < critical_t(0.05 / places, runs - 1));  // narrower than Bonferroni's
    }
}

TEST_SUITE_END();

}  // namespace compare_curves_test
