// Time until a threshold: Kaplan and Meier by hand, limits against their definitions, and two
// variants of which one fails more often, simulated.
#include "train/study/compare/survival.h"

#include <doctest/doctest.h>

#include <cmath>

#include "core/base/error.h"
#include "core/base/random.h"

namespace compare_survival_test {

TEST_SUITE_BEGIN("train: compare survival");

using namespace attend;
using namespace attend::compare;

namespace {

Waiting reached(double time) { return {time, time, Unreached::until_end}; }
Waiting until(double end) { return {std::nullopt, end, Unreached::until_end}; }
Waiting never(double end) { return {std::nullopt, end, Unreached::never}; }

}  // namespace

TEST_CASE("the first value that reaches a threshold") {
    const Curve c{{10, 20, 30}, {0.5, 0.7, 0.6}, After::last};
    CHECK(first_reaching(c, 0.6, Better::higher).value() == 20);
    CHECK(first_reaching(c, 0.7, Better::higher).value() == 20);
    CHECK(first_reaching(c, 0.55, Better::lower).value() == 10);
    CHECK(!first_reaching(c, 0.8, Better::higher));
}

TEST_CASE("share reached: Kaplan and Meier, by hand") {
    // At risk 5, 4, 2: (1 - 1/5) (1 - 1/4) (1 - 1/2) = 0.3.
    const std::vector<Waiting> runs = {reached(10), reached(20), until(20), reached(30), until(40)};
    const std::vector<ReachedStep> steps = share_reached(runs, 40, 0.95);
    REQUIRE(steps.size() == 4);
    CHECK(steps[0].share == 0);
    CHECK(steps[1].share == doctest::Approx(0.2));
    CHECK(steps[2].share == doctest::Approx(0.4));  // the run censored at 20 counts among those at risk
    CHECK(steps[2].at_risk == 4);
    CHECK(steps[3].share == doctest::Approx(0.7));
    CHECK(steps[3].time == 30);
    for (const ReachedStep& s : steps) {
        CHECK(s.limits.low <= s.share);
        CHECK(s.share <= s.limits.high);
    }
    // Less is known than of five runs that are all known.
    CHECK(steps[2].limits.high - steps[2].limits.low > exact_rate(2, 5).high - exact_rate(2, 5).low - 1e-9);
    CHECK_THROWS_AS(share_reached({}, 40, 0.95), MachineError);
}

TEST_CASE("share reached: a run that broke off has not reached it, and is not left out") {
    const std::vector<Waiting> runs = {reached(10), reached(30), never(5), never(0), until(50)};
    const std::vector<ReachedStep> steps = share_reached(runs, 50, 0.95);
    CHECK(steps.back().share == doctest::Approx(0.4));
    for (std::size_t i = 0; i < steps.size(); ++i) {  // all are known: exact limits
        const Limits exact = exact_rate(static_cast<int64_t>(i), 5);
        CHECK(steps[i].limits.low == doctest::Approx(exact.low));
        CHECK(steps[i].limits.high == doctest::Approx(exact.high));
    }
    CHECK(share_reached(runs, 20, 0.95).back().share == doctest::Approx(0.2));  // what comes later does not count
    const std::vector<Waiting> all = {reached(10), reached(10), reached(10)};
    CHECK(share_reached(all, 20, 0.95).back().limits.low == doctest::Approx(exact_rate(3, 3).low));
    CHECK(share_reached(all, 20, 0.95).back().limits.high == 1);
}

TEST_CASE("restricted mean: the mean of what is counted up to the horizon") {
    const std::vector<Waiting> runs = {reached(10), reached(30), never(5), until(50)};
    const RestrictedMean m = restricted_mean(runs, 50, 0.95);
    CHECK(m.mean == doctest::Approx((10 + 30 + 50 + 50) / 4.0));
    CHECK(m.reached == 2);
    CHECK(m.runs == 4);
    CHECK(m.share.high == doctest::Approx(exact_rate(2, 4).high));
    const std::vector<double> times = {10, 30, 50, 50};
    CHECK(m.limits.low == bounded_mean(times, 0, 50).low);
    CHECK(m.limits.high == bounded_mean(times, 0, 50).high);
    CHECK(restricted_mean(runs, 20, 0.95).mean == doctest::Approx((10 + 20 + 20 + 20) / 4.0));
    // One that is under way at 15 may reach it at any time: wider limits, and at risk until then.
    const RestrictedMean less = restricted_mean(std::vector<Waiting>{reached(10), reached(30), until(15), until(50)}, 50, 0.95);
    CHECK(less.limits.low < m.limits.low);
    CHECK(less.limits.high == m.limits.high);
    CHECK(less.mean == doctest::Approx(10 + 20 * 0.75 + 20 * 0.375));
}

TEST_CASE("contrast of times: one that never reaches the threshold is later than one that does") {
    const std::vector<Waiting> reference = {reached(30), reached(40), reached(20), until(50),
                                            reached(10), never(5),    reached(50)};
    const std::vector<Waiting> variant = {reached(20), never(1), reached(20), reached(45), until(5), never(9), until(50)};
    const TimeContrast c = contrast_of_times(variant, reference, 50, 0.95);
    CHECK(c.earlier == 2);  // seeds 1 and 4
    CHECK(c.later == 2);    // 2 and 7; 3 and 6 are equal, 5 is not known
    CHECK(c.share_earlier.low == exact_rate(2, 4).low);
    CHECK(c.limits.low < c.difference);
    CHECK(c.difference < c.limits.high);
    const std::vector<Waiting> none = {never(5), until(50)};
    CHECK(contrast_of_times(none, none, 50, 0.95).share_earlier.low == 0);
    CHECK(contrast_of_times(none, none, 50, 0.95).share_earlier.high == 1);
}

// Both have the same times where they reach the threshold; the variant fails with some of its
// seeds. A mean over the runs that reached it calls the variant faster in half of the repeats.
TEST_CASE("a variant that fails more often does not look faster, and the restricted mean is held") {
    Stream stream(1, "failing");
    constexpr int repeats = 300;
    constexpr double horizon = 2000;
    const auto run = [&](double failing) {
        const double time = 300 + 20 * stream.below(31);  // 300, 320, ..., 900: 600 on average
        return stream.uniform() < failing ? never(time / 2) : reached(time);
    };
    for (const int seeds : {5, 10, 20})
        for (const double failing : {0.2, 0.4}) {
            int faster = 0, earlier = 0, smaller_mean = 0, held = 0, share_held = 0;
            for (int r = 0; r < repeats; ++r) {
                std::vector<Waiting> variant, reference;
                double of_variant = 0, of_reference = 0, count = 0;
                for (int s = 0; s < seeds; ++s) {
                    variant.push_back(run(failing));
                    reference.push_back(run(0));
                    of_reference += *reference.back().reached / seeds;
                    of_variant += variant.back().reached.value_or(0);
                    count += variant.back().reached.has_value();
                }
                smaller_mean += count > 0 && of_variant / count < of_reference;
                const TimeContrast c = contrast_of_times(variant, reference, horizon, 0.95);
                faster += c.limits.high < 0;
                earlier += c.share_earlier.low > 0.5;
                const RestrictedMean m = restricted_mean(variant, horizon, 0.95);
                const double truth = failing * horizon + (1 - failing) * 600;
                held += m.limits.low <= truth && truth <= m.limits.high;
                share_held += m.share.low <= 1 - failing && 1 - failing <= m.share.high;
            }
            CAPTURE(seeds);
            CAPTURE(failing);
            CHECK(faster == 0);
            CHECK(earlier <= 0.025 * repeats + 2.6 * std::sqrt(0.025 * 0.975 * repeats));
            CHECK(smaller_mean > 0.4 * repeats);
            CHECK(held >= 0.95 * repeats - 2.6 * std::sqrt(0.05 * 0.95 * repeats));
            CHECK(share_held >= 0.95 * repeats - 2.6 * std::sqrt(0.05 * 0.95 * repeats));
        }
}

TEST_SUITE_END();

}  // namespace compare_survival_test
