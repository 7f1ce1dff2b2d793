// From metrics.jsonl to values, table and words.
#include "train/study/compare/compare.h"
#include "train/study/compare/table_text.h"

#include <doctest/doctest.h>

#include "tests/train/compare_support.h"
#include "tests/train/run_support.h"

namespace compare_table_test {

TEST_SUITE_BEGIN("train: compare table");

using namespace attend;
using namespace attend::compare;
using attend::testing::accuracy_settings;
using attend::testing::contains;
using attend::testing::message_of;

namespace {

// A run of three evaluations that ends at `last`.
RunRecord run_of(int64_t seed, double last, Ending ending = Ending::finished) {
    RunRecord run;
    run.seed = seed;
    run.ending = ending;
    run.steps = 30;
    run.seconds = 3;
    for (const int64_t step : {10, 20, 30})
        run.lines.push_back({Split::valid,
                             step,
                             static_cast<double>(step) / 10,
                             static_cast<double>(step) * 5,
                             {{{"accuracy", last * static_cast<double>(step) / 30}, {"loss", 1 / last}}}});
    return run;
}

VariantRecord variant(const std::string& name, const std::vector<double>& lasts) {
    VariantRecord v{name, {}};
    for (const double last : lasts) v.runs.push_back(run_of(static_cast<int64_t>(v.runs.size()) + 1, last));
    return v;
}

std::string all_words(const Result& table) { return text_of(table, "name") + json_of(table).text(); }

}  // namespace

TEST_CASE("lines of metrics are read, and evaluations are placed among the targets") {
    const std::string text =
        "{\"step\": 4, \"split\": \"valid\", \"loss\": 2.5, \"seconds\": 1, \"accuracy\": \"nan\"}\n"
        "{\"step\": 10, \"split\": \"train\", \"loss\": 2, \"seconds\": 2, \"targets\": 1000, \"lr\": 0.1}\n"
        "{\"step\": 10, \"split\": \"valid\", \"loss\": 1.5, \"seconds\": 3, \"accuracy\": 0.5}\n"
        "{\"step\": 15, \"split\": \"valid\", \"loss\": 1.5, \"seconds\": 4}\n"
        "{\"step\": 20, \"split\": \"train\", \"loss\": 1, \"seconds\": 5, \"targets\": 1500}\n"
        "{\"step\": 20, \"split\": \"valid\", \"loss\": 1, \"seconds\": 6}\n"
        "{\"step\": 10, \"split\": \"test\", \"loss\": 1.25, \"seconds\": 7}\n"
        "{\"step\": 30, \"split\": \"tra";
    const std::vector<Line> lines = read_lines(text, "m.jsonl");
    REQUIRE(lines.size() == 7);
    const std::vector<double> targets = {400, 1000, 1000, 1250, 1500, 1500, 1000};
    for (std::size_t i = 0; i < lines.size(); ++i) CHECK(lines[i].targets == targets[i]);
    RunRecord run;
    run.lines = lines;
    CHECK(curve_of(run, Split::valid, "accuracy").size() == 1);  // "nan" is no point of a curve
    CHECK(curve_of(run, Split::valid, "loss").size() == 4);
    CHECK(curve_of(run, Split::train, "lr").front().value == 0.1);

    CHECK(contains(message_of([] { read_lines("{}\n", "m.jsonl"); }), "m.jsonl:1: member missing: 'split'"));
    CHECK(contains(message_of([] { read_lines("{\"step\": 1, \"split\": \"x\", \"seconds\": 1}\n", "m.jsonl"); }),
                   "m.jsonl:1: split: no such split: 'x', known train, valid, test"));
    CHECK(contains(message_of([] { read_lines("\n", "m.jsonl"); }), "m.jsonl:1: not JSON"));
    // runs of before targets were counted have none
    CHECK(std::isnan(read_lines("{\"step\": 1, \"split\": \"train\", \"seconds\": 1}\n", "m")[0].targets));
}

TEST_CASE("a table: means, differences, thresholds, values at steps") {
    Settings s = accuracy_settings();
    s.steps = {15, 30, 40};
    const Result t =
        tabulate({variant("a", {0.6, 0.7, 0.8}), variant("b", {0.75, 0.88, 0.92}), variant("c", {0.6, 0.7, 0.81})}, s);
    REQUIRE(t.rows.size() == 3);
    CHECK(t.rows[0].moments.mean == doctest::Approx(0.7));
    CHECK(t.rows[0].moments.half_width.value() == doctest::Approx(4.30265 * 0.1 / std::sqrt(3.0)).epsilon(1e-4));
    CHECK(!t.rows[0].contrast);
    CHECK(t.threshold.value() == doctest::Approx(0.6));  // what the worst seed of the reference reaches
    CHECK(t.rows[0].steps.mean == doctest::Approx(30));
    CHECK(t.rows[1].steps.mean == doctest::Approx((30 + 30 + 20) / 3.0));
    CHECK(t.rows[1].targets.mean == doctest::Approx(5 * (30 + 30 + 20) / 3.0));
    CHECK(t.rows[1].seconds.mean == doctest::Approx((3 + 3 + 2) / 3.0));
    CHECK(t.rows[0].at_steps[0].mean == doctest::Approx(0.7 / 3));
    CHECK(t.rows[0].at_steps[1].mean == doctest::Approx(0.7));
    CHECK(t.rows[0].at_steps[2].count == 0);  // the runs did not get there

    CHECK(t.metrics == std::vector<std::string>{"accuracy", "loss"});
    CHECK(t.rows[0].all[1].mean == doctest::Approx((1 / 0.6 + 1 / 0.7 + 1 / 0.8) / 3));
    CHECK(json_of(t).json()["variants"][0]["metrics"]["loss"]["count"] == 3);

    const Contrast& b = *t.rows[1].contrast;
    CHECK(b.differences.mean == doctest::Approx(0.15));
    CHECK(b.verdict == Verdict::better);
    CHECK(b.corrected.value() == doctest::Approx(2 * *b.p));
    const Contrast& c = *t.rows[2].contrast;
    CHECK(c.verdict == Verdict::not_distinguishable);
    CHECK(c.level == doctest::Approx(0.05));  // the other was found already
    CHECK(c.seeds_more.value() == *pairs_needed(c.differences.mean / c.differences.deviation, 0.05, 0.8) - 3);
    CHECK(c.detectable.value() > c.differences.mean);
    const std::string text = text_of(t, "name");
    CHECK(contains(text, "b is better than a: accuracy higher by 0.1500"));
    CHECK(contains(text, "c is not distinguishable from a with 3 seeds: about "));
    CHECK(contains(text, "Found: better than a: b; not distinguishable from a: c (about "));
    CHECK(contains(text, "until accuracy >= 0.6"));
    CHECK(!contains(all_words(t), "nan"));
}

TEST_CASE("lower is better where the metric says so") {
    Settings s = accuracy_settings();
    s.metric = "loss";
    s.better = better_of("loss");
    const Result t = tabulate({variant("a", {0.5, 0.51, 0.52}), variant("b", {0.9, 0.91, 0.92})}, s);
    CHECK(t.rows[1].contrast->verdict == Verdict::better);
    CHECK(t.rows[1].contrast->differences.mean < 0);
    CHECK(t.threshold.value() == doctest::Approx(1 / 0.5));
    CHECK(contains(text_of(t, "name"), "until loss <= 2"));
    CHECK(contains(text_of(t, "name"), "b is better than a: loss lower by"));
}

TEST_CASE("equal values, equal differences, one seed") {
    const Result equal = tabulate({variant("a", {1, 1, 1}), variant("b", {1, 1, 1})}, accuracy_settings());
    CHECK(equal.rows[1].contrast->p == 1);
    CHECK(equal.rows[1].contrast->verdict == Verdict::not_distinguishable);
    CHECK(!equal.rows[1].contrast->seeds_more);
    CHECK(contains(text_of(equal, "name"), "equal with every seed"));
    CHECK(!contains(all_words(equal), "nan"));

    const Result same = tabulate({variant("a", {0.5, 0.6, 0.7}), variant("b", {0.6, 0.7, 0.8})}, accuracy_settings());
    CHECK(same.rows[1].contrast->verdict == Verdict::no_spread);
    CHECK(!same.rows[1].contrast->p);
    CHECK(contains(text_of(same, "name"), "b differs from a by 0.1000 with every one of 3 seeds"));
    CHECK(!contains(all_words(same), "nan"));

    const Result one = tabulate({variant("a", {0.5}), variant("b", {0.6})}, accuracy_settings());
    CHECK(one.rows[1].contrast->verdict == Verdict::too_few);
    CHECK(!one.rows[0].moments.half_width);
    CHECK(contains(text_of(one, "name"), "One seed: no intervals and no tests."));
    CHECK(contains(text_of(one, "name"), "Found: one seed, not tested: b."));
    CHECK(!contains(all_words(one), "nan"));

    const Result alone = tabulate({variant("a", {0.5, 0.7})}, accuracy_settings());
    CHECK(contains(text_of(alone, "name"), "Found: nothing to compare, there is one variant."));
    CHECK(!contains(all_words(alone), "nan"));
}

TEST_CASE("runs that did not finish have no value, and lose no other") {
    std::vector<VariantRecord> variants = {variant("a", {0.5, 0.6, 0.7}), variant("b", {0.61, 0.72, 0.8})};
    variants[1].runs[1].ending = Ending::diverged;
    const Result t = tabulate(variants, accuracy_settings());
    CHECK(t.rows[1].finished == 2);
    CHECK(t.rows[1].diverged == 1);
    CHECK(t.rows[1].contrast->differences.count == 2);
    CHECK(t.rows[1].contrast->differences.mean == doctest::Approx((0.11 + 0.1) / 2));
    CHECK(contains(text_of(t, "name"), "b: 1 of 3 runs did not finish (1 diverged, 0 failed)"));
    for (RunRecord& run : variants[1].runs)
        run = RunRecord{.seed = run.seed, .ending = Ending::failed, .message = "x", .lines = {}};
    const Result none = tabulate(variants, accuracy_settings());
    CHECK(none.rows[1].contrast->verdict == Verdict::too_few);
    CHECK(contains(text_of(none, "name"), "0/3, 3 failed"));
    CHECK(!contains(all_words(none), "nan"));
    // without a reference that finished there is no threshold
    CHECK(!tabulate({none.rows.empty() ? variants[0] : variants[1], variants[0]}, accuracy_settings()).threshold);
}

TEST_CASE("the last value, or the best") {
    VariantRecord v = variant("a", {0.5});
    v.runs[0].lines[1].scores.values[0].second = 0.9;
    v.runs[0].lines.push_back({Split::test, 20, 4, 100, {{{"accuracy", 0.75}}}});
    Settings s = accuracy_settings();
    CHECK(value_of(v.runs[0], s) == 0.5);
    s.judged = Judged::best;
    CHECK(value_of(v.runs[0], s) == 0.9);
    s.split = Split::test;
    CHECK(value_of(v.runs[0], s) == 0.75);
    s.metric = "bleu";
    CHECK(!value_of(v.runs[0], s));
}

TEST_SUITE_END();

}  // namespace compare_table_test
