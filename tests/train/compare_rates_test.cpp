// How often a comparison finds what is not there, and what is: simulated, from curves to verdicts.
#include <doctest/doctest.h>

#include "tests/train/compare_support.h"

namespace compare_rates_test {

TEST_SUITE_BEGIN("train: compare rates");

using namespace attend;
using namespace attend::compare;
using attend::testing::accuracy_settings;
using attend::testing::Synthetic;

namespace {

constexpr int repeats = 1000;

// Whether a count of `repeats` is within 2.58 standard deviations (99 %) of what a probability
// gives.
bool likely(int count, double probability) {
    return std::abs(count - repeats * probability) <= 2.576 * std::sqrt(repeats * probability * (1 - probability));
}

struct Counts {
    int found = 0;        // repeats with at least one variant called better or worse
    int uncorrected = 0;  // with at least one p at most 0.05 before the correction
    int better = 0, worse = 0;
};

Counts simulate(const Synthetic& synthetic, const char* name) {
    Stream stream(1, name);
    Counts counts;
    for (int i = 0; i < repeats; ++i) {
        const Result table = tabulate(synthetic.draw(stream), accuracy_settings());
        bool found = false, uncorrected = false;
        for (const Row& row : table.rows)
            if (row.contrast) {
                counts.better += row.contrast->verdict == Verdict::better;
                counts.worse += row.contrast->verdict == Verdict::worse;
                found |= row.contrast->verdict == Verdict::better || row.contrast->verdict == Verdict::worse;
                uncorrected |= *row.contrast->p <= 0.05;
            }
        counts.found += found;
        counts.uncorrected += uncorrected;
    }
    return counts;
}

}  // namespace

TEST_CASE("two equal configs are found to differ in at most 5 % of comparisons") {
    const Counts five = simulate({.seeds = 5, .tops = {0.9, 0.9}}, "equal");  // the t test alone
    CAPTURE(five.found);
    CHECK(likely(five.found, 0.05));
    CHECK(likely(five.better, 0.025));
    const Counts ten = simulate({.seeds = 10, .tops = {0.9, 0.9}}, "equal");
    CAPTURE(ten.found);
    CHECK((ten.found <= 50 || likely(ten.found, 0.05)));
    CHECK(ten.found >= 25);
}

TEST_CASE("several equal configs: a false finding in at most 5 % of comparisons") {
    const Counts c = simulate({.seeds = 5, .tops = {0.9, 0.9, 0.9, 0.9, 0.9}}, "several");
    CAPTURE(c.found);
    CAPTURE(c.uncorrected);
    CHECK((c.found <= 50 || likely(c.found, 0.05)));
    CHECK(c.found >= 20);         // and not for nothing: the four tests share their reference, so it is below 5 %
    CHECK(c.uncorrected >= 100);  // what the correction is for
}

TEST_CASE("a known gap is found about as often as the power calculation says") {
    for (const int64_t seeds : {5, 8})
        for (const double gap : {0.02, 0.04}) {
            Synthetic s{.seeds = seeds, .tops = {0.9, 0.9 + gap}};
            const double grown = 1 - std::exp(-Synthetic::last / Synthetic::pace);
            const double power = power_of(gap * grown / s.difference_spread(), seeds, 0.05);
            const Counts c = simulate(s, "gap");
            CAPTURE(seeds);
            CAPTURE(gap);
            CAPTURE(power);
            CAPTURE(c.found);
            // The sign-flip test, where there is one, has to find it too.
            CHECK((likely(c.found, power) ||
                   (seeds >= least_flips && c.found >= repeats * (power - 0.08) && c.found < repeats * power)));
            CHECK(power > 0.1);
        }
}

TEST_SUITE_END();

}  // namespace compare_rates_test
