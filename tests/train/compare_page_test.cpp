// From runs to the curves, areas and times that the page of a comparison shows.
#include "train/show/report/compare_page.h"

#include <doctest/doctest.h>

#include <cmath>

#include "train/study/compare/run_curves.h"

namespace compare_page_test {

TEST_SUITE_BEGIN("train: compare page");

using namespace attend;
using namespace attend::compare;

namespace {

// Evaluations at 10, 20, ... up to `steps`, rising to `last` at step 30.
RunRecord run_of(int64_t seed, double last, Ending ending = Ending::finished, int64_t steps = 30) {
    RunRecord run;
    run.seed = seed;
    run.ending = ending;
    run.steps = steps;
    for (int64_t step = 10; step <= steps; step += 10) {
        const auto s = static_cast<double>(step);
        run.lines.push_back({Split::valid, step, s / 10, s * 5, {{{"accuracy", last * s / 30}, {"lr", 0.1}, {"loss", 1 / s}}}});
    }
    return run;
}

Settings settings_of(double threshold) {
    Settings s;
    s.metric = "accuracy";
    s.better = Better::higher;
    s.threshold = threshold;
    return s;
}

}  // namespace

TEST_CASE("a mean curve is over all runs: one that diverged is the worst from there on") {
    std::vector<VariantRecord> variants = {{"a", {run_of(1, 0.6), run_of(2, 0.9), run_of(3, 0.9, Ending::diverged, 10)}}};
    const MeanCurve c = mean_curve(variants, 0, Split::valid, "accuracy", 0.95);
    CHECK(c.step == std::vector<int64_t>{10, 20, 30});
    CHECK(c.whole);
    CHECK(c.mean[0] == doctest::Approx((0.2 + 0.3 + 0.3) / 3));
    CHECK(c.mean[2] == doctest::Approx((0.6 + 0.9 + 0) / 3));
    CHECK(c.targets[2] == 150);
    CHECK(c.seconds[0] == 1);
    REQUIRE(c.low.size() == 3);
    CHECK(c.low[2] == 0);
    CHECK(c.high[2] <= 1);
    // The loss has no worst value: that of the runs that went on. A learning rate has nothing of the kind.
    CHECK(mean_curve(variants, 0, Split::valid, "loss", 0.95).mean[2] == doctest::Approx((1 / 30.0 + 1 / 30.0 + 1 / 10.0) / 3));
    // It does not get better by breaking off, whatever it was before.
    variants[0].runs[2].lines[0].scores.values[2].second = 1e30;
    const MeanCurve loss = mean_curve(variants, 0, Split::valid, "loss", 0.95);
    CHECK(loss.mean[0] == doctest::Approx(0.1));
    CHECK(areas_of(variants, Split::valid, "loss")[0][2].value() == doctest::Approx(0.1));
    const MeanCurve rate = mean_curve(variants, 0, Split::valid, "lr", 0.95);
    CHECK(rate.step == std::vector<int64_t>{10});
    CHECK(!rate.whole);
    CHECK(mean_curve(variants, 0, Split::test, "accuracy", 0.95).step.empty());
}

TEST_CASE("a mean curve ends where a run that is under way ends") {
    std::vector<VariantRecord> variants = {{"a", {run_of(1, 0.6), run_of(2, 0.9, Ending::unfinished, 20)}}};
    const MeanCurve c = mean_curve(variants, 0, Split::valid, "accuracy", 0.95);
    CHECK(c.step == std::vector<int64_t>{10, 20});
    CHECK(!c.whole);
    CHECK(c.low.empty());  // two runs
    variants[0].runs[1].ending = Ending::failed;
    CHECK(mean_curve(variants, 0, Split::valid, "accuracy", 0.95).mean.back() == doctest::Approx(0.3));
    // Of a variant none of whose runs finished too, as far as others go.
    variants.push_back({"b", {run_of(1, 0.9, Ending::diverged, 20), run_of(2, 0.9, Ending::diverged, 10)}});
    const MeanCurve b = mean_curve(variants, 1, Split::valid, "accuracy", 0.95);
    CHECK(b.step.back() == 30);
    CHECK(b.mean.back() == 0);
}

TEST_CASE("areas and times of runs: a common horizon, and failing helps nobody") {
    const std::vector<VariantRecord> variants = {
        {"a", {run_of(1, 0.6), run_of(2, 0.9), run_of(3, 0.9)}},
        {"b",
         {run_of(1, 0.6, Ending::finished, 40), run_of(2, 0.9, Ending::diverged, 20), run_of(3, 0.9, Ending::finished, 20)}},
        {"c", {run_of(1, 0.6, Ending::unfinished, 10), run_of(2, 0, Ending::missing, 0), run_of(3, 0, Ending::failed, 0)}}};
    CHECK(budget_of(variants[1]).value() == 40);
    CHECK(!budget_of(variants[2]));
    CHECK(common_horizon(variants, Split::valid, "accuracy").value() == 30);
    CHECK(common_horizon(variants, Split::valid, "accuracy", Axis::targets).value() == 150);
    CHECK(common_horizon(variants, Split::valid, "accuracy", Axis::seconds).value() == 3);
    const auto areas = areas_of(variants, Split::valid, "accuracy");
    CHECK(areas[0][0].value() == doctest::Approx(0.4));
    CHECK(areas[1][0].value() == doctest::Approx(0.4));                                // what is beyond 30 does not count
    CHECK(areas[1][1].value() == doctest::Approx((10 * (0.3 + 0.6) / 2 + 0) / 20));    // 0 from its last value on
    CHECK(areas[1][2].value() == doctest::Approx((10 * (0.3 + 0.6) / 2 + 6.0) / 20));  // it stopped by itself
    CHECK(!areas[2][0]);
    CHECK(!areas[2][1]);
    CHECK(areas[2][2].value() == 0);
    const Settings s = settings_of(0.7);
    const std::vector<Waiting> a = waiting_of(variants[0], s, 0.7, Axis::steps),
                               b = waiting_of(variants[1], s, 0.7, Axis::steps);
    CHECK(!a[0].reached);
    CHECK(a[0].otherwise == Unreached::until_end);
    CHECK(a[1].reached.value() == 30);
    CHECK(b[0].reached.value() == 40);  // beyond the horizon
    CHECK(b[1].otherwise == Unreached::never);
    CHECK(b[2].otherwise == Unreached::never);
    CHECK(restricted_mean(b, 30, 0.95).mean == 30);
    CHECK(waiting_of(variants[0], s, 0.7, Axis::targets)[1].reached.value() == 150);
}

TEST_SUITE_END();

}  // namespace compare_page_test
