// What a comparison says of variants whose truth is known: simulated, from values to words. The long
// forms, of 2,000 repeats each: --no-skip --test-case="two thousand repeats*".
#include <doctest/doctest.h>

#include "tests/train/compare_support.h"
#include "tests/train/run_support.h"
#include "train/study/compare/table_text.h"
#include "train/study/compare/table_words.h"

namespace compare_honesty_test {

TEST_SUITE_BEGIN("train: compare honesty");

using namespace attend;
using namespace attend::compare;
using attend::testing::accuracy_settings;
using attend::testing::contains;

namespace {

// Values of new seeds: a share `collapses` of them ends near 0.05, the others near `top`.
struct Behaviour {
    double top = 0.99, collapses = 0, spread = 0.005;
    double bottom = 0.05, bottom_spread = 0.005;
};

VariantRecord drawn(const std::string& name, const Behaviour& b, int64_t seeds, Stream& stream) {
    VariantRecord v{name, {}};
    for (int64_t s = 1; s <= seeds; ++s) {
        RunRecord run;
        run.seed = s;
        run.ending = Ending::finished;
        run.steps = 10;
        const bool low = stream.uniform() < b.collapses;
        const double value =
            std::clamp((low ? b.bottom : b.top) + (low ? b.bottom_spread : b.spread) * stream.normal(), 0.0, 1.0);
        run.lines.push_back({Split::valid, 10, 1, 1, {{{"accuracy", value}}}});
        v.runs.push_back(std::move(run));
    }
    return v;
}

bool is_found(Verdict v) { return v == Verdict::better || v == Verdict::worse; }

struct Said {
    int anything = 0;       // repeats in which the two are called different in any way
    int means = 0;          // in which their means are
    int unconditional = 0;  // in which one is called better, and not only when it trains
    int reliability = 0;    // in which the report says with intervals that they differ in how often they train
    int seen = 0;           // in which a run collapsed
};

Said simulate(const Behaviour& a, const Behaviour& b, int64_t seeds, int repeats, const char* name) {
    Stream stream(1, name);
    Said said;
    for (int i = 0; i < repeats; ++i) {
        const Result t = tabulate({drawn("a", a, seeds, stream), drawn("b", b, seeds, stream)}, accuracy_settings());
        const Contrast& c = *t.rows[1].contrast;
        said.anything += is_found(c.verdict) || is_found(c.reliability) || is_found(c.mean) ? 1 : 0;
        said.means += is_found(c.mean) ? 1 : 0;
        said.unconditional += is_found(c.verdict) && !contains(verdict_text(c, t), "when it trains") ? 1 : 0;
        const bool differ = t.rows[0].trained.count != t.rows[1].trained.count;
        said.seen += differ ? 1 : 0;
        said.reliability += differ && contains(text_of(t, "x"), "% of new ones), a trained with") ? 1 : 0;
    }
    return said;
}

// How many repeats of `repeats` may be what happens with probability 0.05, two and a half standard
// deviations of chance included: 6 % of 2,000.
int most(int repeats) { return static_cast<int>(repeats * (0.05 + 2.5 * std::sqrt(0.05 * 0.95 / repeats)) * 0.98); }

void check_equal_collapse(int repeats) {
    for (const int64_t seeds : {6, 10, 20}) {
        const Said s = simulate({.collapses = 0.2}, {.collapses = 0.2}, seeds, repeats, "both collapse");
        INFO(seeds, " seeds, ", repeats, " repeats: called different ", s.anything);
        if (repeats >= 2000)
            MESSAGE("both collapse with 20 % of seeds");
        CHECK(s.anything <= most(repeats));
    }
    // spread out, and no clean gap: a level that each variant chose for itself would find differences
    for (const int64_t seeds : {10, 20}) {
        const Behaviour half{.top = 0.9, .collapses = 0.4, .spread = 0.05, .bottom = 0.28, .bottom_spread = 0.1};
        const Said s = simulate(half, half, seeds, repeats, "both spread");
        INFO(seeds, " seeds, ", repeats, " repeats: called different ", s.anything);
        if (repeats >= 2000)
            MESSAGE("both end low with 40 % of seeds, spread out");
        CHECK(s.anything <= most(repeats));
    }
}

void check_unequal_collapse(int repeats) {
    const Behaviour often{.collapses = 0.2}, never{.top = 0.2 * 0.05 + 0.8 * 0.99};
    for (const int64_t seeds : {6, 10, 20}) {
        const Said s = simulate(never, often, seeds, repeats, "one collapses");
        INFO(seeds, " seeds, ", repeats, " repeats: means called different ", s.means,
             ", one called better without 'when it trains' ", s.unconditional, "; a collapse was seen in ", s.seen,
             ", of which the report says it with intervals in ", s.reliability);
        if (repeats >= 2000)
            MESSAGE("one collapses with 20 % of seeds, the other has the same mean");
        CHECK(s.means <= most(repeats));
        CHECK(s.unconditional <= most(repeats));
        CHECK(s.reliability == s.seen);
    }
}

void check_looks(int repeats) {
    Stream stream(1, "looks");
    int found = 0, at_once = 0;
    for (int i = 0; i < repeats; ++i) {
        const VariantRecord a = drawn("a", {.top = 0.9, .spread = 0.02}, 20, stream),
                            b = drawn("b", {.top = 0.9, .spread = 0.02}, 20, stream);
        Settings s = accuracy_settings();
        bool any = false, any_at_once = false;
        for (const std::size_t seeds : {5u, 10u, 20u}) {
            std::vector<VariantRecord> so_far = {a, b};
            for (VariantRecord& v : so_far) v.runs.resize(seeds);
            const Result t = tabulate(so_far, s);
            const Contrast& c = *t.rows[1].contrast;
            any |= is_found(c.verdict) || is_found(c.mean) || is_found(c.reliability);
            any_at_once |= t.rows[1].contrast->p.value() <= 0.05;
            s.looks = t.looks;
        }
        found += any ? 1 : 0;
        at_once += any_at_once ? 1 : 0;
    }
    INFO(repeats, " repeats: found at a look ", found, ", without spending ", at_once);
    if (repeats >= 2000)
        MESSAGE("looks at 5, 10 and 20 seeds at equal variants");
    CHECK(found <= most(repeats));
    CHECK(at_once > most(repeats));  // what the looks would do
}

}  // namespace

TEST_CASE("variants that collapse alike are not called different") { check_equal_collapse(300); }
TEST_CASE("a variant that collapses and one of the same mean differ in reliability, not in the mean") {
    check_unequal_collapse(300);
}
TEST_CASE("looking again finds little that is not there") { check_looks(400); }

TEST_CASE("two thousand repeats: collapses and looks" * doctest::skip()) {
    check_equal_collapse(2000);
    check_unequal_collapse(2000);
    check_looks(2000);
}

TEST_SUITE_END();

}  // namespace compare_honesty_test
