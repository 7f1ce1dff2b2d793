// From metrics.jsonl to values, table and words.
#include "train/study/compare/compare.h"
#include "train/study/compare/table_text.h"
#include "train/study/compare/table_words.h"

#include <doctest/doctest.h>

#include <fstream>
#include <limits>

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

TEST_CASE("a table: means, differences, areas, times, values at steps") {
    Settings s = accuracy_settings();
    s.steps = {15, 30, 40};
    s.threshold = 0.6;
    const std::vector<double> a = {0.6, 0.7, 0.8, 0.65, 0.75, 0.72};
    std::vector<double> b, c;
    for (std::size_t i = 0; i < a.size(); ++i) {
        b.push_back(a[i] + 0.1 + 0.01 * static_cast<double>(i));
        c.push_back(a[i] + (i % 2 == 0 ? 0.01 : -0.02));
    }
    const Result t = tabulate({variant("a", a), variant("b", b), variant("c", c)}, s);
    REQUIRE(t.rows.size() == 3);
    CHECK(t.rows[0].moments.mean == doctest::Approx(4.22 / 6));
    CHECK(!t.rows[0].contrast);
    CHECK(t.rows[0].trained.count == 6);
    CHECK(t.rows[0].trained.limits.low == doctest::Approx(std::pow(0.025, 1 / 6.0)));
    CHECK(t.rows[0].worst.value() == 0.6);
    CHECK(t.rows[0].middle->mean == doctest::Approx((0.65 + 0.7 + 0.72 + 0.75) / 4));
    CHECK(t.rows[0].areas[0].value() == doctest::Approx(0.4));  // 0.2, 0.4, 0.6 at steps 10, 20, 30
    CHECK(t.rows[1].area_differences->mean == doctest::Approx(0.125 * 2 / 3));
    CHECK(t.rows[0].until->steps.mean == doctest::Approx(30));
    CHECK(t.rows[0].until->steps.reached == 6);
    CHECK(t.rows[1].until->contrast->difference < 0);
    CHECK(t.rows[0].at_steps[0].mean == doctest::Approx(t.rows[0].moments.mean / 3));
    CHECK(t.rows[0].at_steps[1].mean == doctest::Approx(t.rows[0].moments.mean));
    CHECK(t.rows[0].at_steps[2].count == 0);  // the runs did not get there
    CHECK(t.metrics == std::vector<std::string>{"accuracy", "loss"});
    CHECK(json_of(t).json()["variants"][0]["metrics"]["loss"]["count"] == 6);

    const Contrast& of_b = *t.rows[1].contrast;
    CHECK(of_b.differences.mean == doctest::Approx(0.125));
    CHECK(of_b.verdict == Verdict::not_distinguishable);  // six seeds are too few for two comparisons
    CHECK(of_b.p_t.value() < 1e-4);
    CHECK(of_b.p_flip.value() == doctest::Approx(2 / 64.0));
    CHECK(of_b.corrected.value() == doctest::Approx(2 / 64.0 * 2));
    CHECK(of_b.better_with == 6);
    CHECK(t.tests == 2);
}

TEST_CASE("a finding, and its words") {
    std::vector<double> a, b, c;
    for (int i = 0; i < 8; ++i) {
        a.push_back(0.6 + 0.02 * i);
        b.push_back(a.back() + 0.1 + 0.01 * (i % 3));
        c.push_back(a.back() + (i % 2 == 0 ? 0.01 : -0.02));
    }
    const Result t = tabulate({variant("a", a), variant("b", b), variant("c", c)}, accuracy_settings());
    const Contrast &of_b = *t.rows[1].contrast, &of_c = *t.rows[2].contrast;
    CHECK(of_b.verdict == Verdict::better);
    CHECK(of_b.mean == Verdict::not_distinguishable);  // what eight seeds do not show could turn it
    CHECK(of_c.verdict == Verdict::not_distinguishable);
    CHECK(of_c.level == doctest::Approx(0.05));  // the other was found already
    REQUIRE(of_c.seeds_more);
    CHECK(of_c.seeds_more->low >= 1);
    CHECK((!of_c.seeds_more->high || *of_c.seeds_more->high > of_c.seeds_more->low));
    CHECK(of_c.detectable.value() > std::abs(of_c.differences.mean));
    const std::string text = text_of(t, "name");
    CHECK(contains(text, "both find them, corrected for 2 tests (Holm)"));
    CHECK(text.ends_with("\nWhat the words mean: docs/comparing.md\n"));
    CHECK(contains(text, "When both train, b is better than a: accuracy higher by 0.108"));
    CHECK(contains(text, "with 8 of 8 seeds"));
    CHECK(contains(text, "When both train, c is not distinguishable from a with 8 seeds: accuracy lower by 0.0050"));
    CHECK(contains(text, "Found, against a: better when it trains: b; not distinguishable: c."));
    CHECK(contains(text, "All runs trained: of new runs of a variant at least 63.1 % will train"));
    for (const char* value : {"0.6 ", "0.74", "0.7 "}) CHECK(contains(text, value));  // all seeds are shown
    CHECK(!contains(all_words(t), "nan"));
}

TEST_CASE("lower is better where the metric says so, and a level is never the reference's own") {
    Settings s = accuracy_settings();
    s.metric = "loss";
    s.better = better_of("loss");
    s.bounds = {0, std::numeric_limits<double>::infinity()};
    std::vector<double> a, b;
    for (int i = 0; i < 7; ++i) {
        a.push_back(0.5 + 0.01 * i);
        b.push_back(0.9 + 0.013 * i);
    }
    const Result t = tabulate({variant("a", a), variant("b", b)}, s);
    CHECK(t.rows[1].contrast->verdict == Verdict::better);
    CHECK(t.rows[1].contrast->differences.mean < 0);
    CHECK(!t.rows[0].until);
    CHECK(!contains(text_of(t, "name"), "until loss <="));
    CHECK(contains(text_of(t, "name"), "When both train, b is better than a: loss lower by"));
    s.threshold = 2;
    CHECK(contains(text_of(tabulate({variant("a", a), variant("b", b)}, s), "name"), "until loss <= 2"));
}

TEST_CASE("equal values, equal differences, few seeds") {
    const std::vector<double> ones(7, 1);
    const Result equal = tabulate({variant("a", ones), variant("b", ones)}, accuracy_settings());
    CHECK(equal.rows[1].contrast->p == 1);
    CHECK(equal.rows[1].contrast->verdict == Verdict::not_distinguishable);
    CHECK(!equal.rows[1].contrast->seeds_more);
    CHECK(equal.rows[1].contrast->limits.front().limits.low < 0);  // never +- 0
    CHECK(equal.rows[1].contrast->limits.front().limits.high > 0);
    CHECK(contains(text_of(equal, "name"), "The values are equal with every seed."));
    CHECK(!contains(all_words(equal), "nan"));

    // the same gain with every seed gets its sign test
    const std::vector<double> low = {0.5, 0.6, 0.7, 0.55, 0.65, 0.75}, high = {0.6, 0.7, 0.8, 0.65, 0.75, 0.85};
    const Result same = tabulate({variant("a", low), variant("b", high)}, accuracy_settings());
    CHECK(same.rows[1].contrast->verdict == Verdict::better);
    CHECK(!same.rows[1].contrast->p_t);
    CHECK(same.rows[1].contrast->p.value() == doctest::Approx(1 / 32.0));
    CHECK(!contains(all_words(same), "nan"));

    // with five seeds the t test alone, with fewer values and no verdict
    const Result five =
        tabulate({variant("a", {0.5, 0.6, 0.7, 0.55, 0.65}), variant("b", {0.61, 0.7, 0.82, 0.66, 0.75})}, accuracy_settings());
    CHECK(!five.rows[1].contrast->p_flip);
    CHECK(five.rows[1].contrast->verdict == Verdict::better);
    CHECK(contains(
        text_of(five, "name"),
        "where both trained; with 5 seeds the t test alone decides (the sign-flip test needs 6), corrected for 1 test"));
    CHECK(
        contains(text_of(five, "name"),
                 "Seeds that are added to this folder later make another look, whose tests are stricter: it needs 9 seeds.\n"));
    CHECK(!contains(text_of(five, "name"), "Too few seeds"));
    CHECK(json_of(five).json()["decides"] == "with 5 seeds the t test alone decides (the sign-flip test needs 6)");
    CHECK(contains(seeds_text(1, 5, 0.05), "there are 5; with 5 seeds the t test alone decides; seeds that are added"));
    CHECK(seeds_text(1, 6, 0.05).ends_with("there are 6"));
    CHECK(contains(seeds_text(2, 6, 0.05), "there are 6; seeds that are added to this folder later"));
    const Result four =
        tabulate({variant("a", {0.5, 0.6, 0.7, 0.55}), variant("b", {0.61, 0.7, 0.82, 0.66})}, accuracy_settings());
    CHECK(!four.rows[1].contrast->p);
    CHECK(four.rows[1].contrast->verdict == Verdict::too_few);
    CHECK(four.tests == 0);
    CHECK(four.looks.empty());
    CHECK(decides_text(four) == "");
    CHECK(contains(text_of(four, "name"),
                   "Too few seeds: 1 comparison: the sign-flip test can find a difference from 6 seeds on"));
    CHECK(contains(text_of(four, "name"), "b: no verdict on runs that trained: seeds with which both trained 4, least 5."));

    const Result one = tabulate({variant("a", {0.5}), variant("b", {0.6})}, accuracy_settings());
    CHECK(one.rows[1].contrast->verdict == Verdict::too_few);
    CHECK(contains(text_of(one, "name"), "One seed: it tells nothing of other seeds."));
    CHECK(contains(text_of(one, "name"), "Found, against a: one seed: b."));
    CHECK(!contains(all_words(one), "nan"));

    const Result alone = tabulate({variant("a", {0.5, 0.7})}, accuracy_settings());
    CHECK(contains(text_of(alone, "name"), "Found: nothing to compare, there is one variant."));
    CHECK(!contains(all_words(alone), "nan"));
}

TEST_CASE("runs that did not finish have no value, count as the worst, and lose no other") {
    std::vector<double> a, b;
    for (int i = 0; i < 7; ++i) {
        a.push_back(0.5 + 0.01 * i);
        b.push_back(0.6 + 0.013 * i);
    }
    std::vector<VariantRecord> variants = {variant("a", a), variant("b", b)};
    variants[1].runs[1].ending = Ending::diverged;
    const Result t = tabulate(variants, accuracy_settings());
    CHECK(t.rows[1].finished == 6);
    CHECK(t.rows[1].diverged == 1);
    CHECK(t.rows[1].outcomes[1] == Outcome::diverged);
    CHECK(t.rows[1].trained.count == 6);
    CHECK(t.rows[1].trained.of == 7);
    CHECK(t.rows[1].worst.value() == 0);
    CHECK(t.rows[1].contrast->pairs == 6);
    CHECK(t.rows[1].contrast->seeds == 7);
    CHECK(t.rows[1].contrast->improvement->probability == doctest::Approx(6 / 7.0));
    CHECK(contains(text_of(t, "name"), "b: 1 of 7 runs did not finish (1 diverged, 0 failed)"));
    CHECK(contains(text_of(t, "name"), "b trained with 6 of 7 seeds (42.1 to 99.6 % of new ones)"));
    for (RunRecord& run : variants[1].runs)
        run = RunRecord{.seed = run.seed, .ending = Ending::failed, .message = "x", .lines = {}};
    const Result none = tabulate(variants, accuracy_settings());
    CHECK(none.rows[1].contrast->verdict == Verdict::too_few);
    CHECK(none.rows[1].trained.of == 0);
    CHECK(contains(text_of(none, "name"), "0/7, 7 failed"));
    CHECK(!contains(text_of(none, "name"), "All runs trained"));
    CHECK(!contains(all_words(none), "nan"));
}

TEST_CASE("a run that ended in a group apart has collapsed, and values that are spread out have not") {
    std::vector<double> apart(10, 0.98), spread, untaught(10, 0.99), losses(10, 0.4);
    apart[2] = 0.05;
    CHECK(collapse_level(apart, 0, 1, Better::higher).value() == doctest::Approx(0.515));
    for (int i = 0; i < 12; ++i) spread.push_back(0.05 * i);
    CHECK(!collapse_level(spread, 0, 1, Better::higher));
    for (double& v : untaught) v *= 0.01;
    untaught[0] = 0.001;
    CHECK(!collapse_level(untaught, 0, 1, Better::higher));         // nobody has learnt
    CHECK(!collapse_level({0.9, 0.9, 0.1}, 0, 1, Better::higher));  // too few runs
    losses[3] = 2.9;
    CHECK(collapse_level(losses, 3, std::numeric_limits<double>::infinity(), Better::lower).value() == doctest::Approx(1.65));
    const Result t =
        tabulate({variant("a", {0.9, 0.91, 0.92, 0.9, 0.93, 0.91}), variant("b", {0.9, 0.05, 0.91, 0.94, 0.92, 0.9})},
                 accuracy_settings());
    CHECK(t.rows[1].outcomes[1] == Outcome::collapsed);
    CHECK(t.rows[1].moments.count == 5);
    CHECK(t.rows[1].mean_of_all.value() == doctest::Approx(4.62 / 6));
    CHECK(contains(text_of(t, "name"), "5/6, 1 collapsed"));
    CHECK(contains(text_of(t, "name"), "A run has collapsed where its accuracy is less than 0.475"));
    CHECK(contains(text_of(t, "name"), "seen with these seeds, not proven for others"));
    Settings s = accuracy_settings();
    s.collapsed = 0.92;  // fixed beforehand
    CHECK(tabulate({variant("a", {0.9, 0.91, 0.93})}, s).rows[0].trained.count == 1);
}

TEST_CASE("a null variant that is found different says that no verdict can be trusted") {
    std::vector<double> a, near, far;
    for (int i = 0; i < 8; ++i) {
        a.push_back(0.6 + 0.02 * i);
        near.push_back(a.back() + (i % 2 == 0 ? 0.01 : -0.011));
        far.push_back(a.back() + 0.1);
    }
    Settings s = accuracy_settings();
    s.null_variant = 1;
    CHECK(contains(text_of(tabulate({variant("a", a), variant("aa", near)}, s), "x"),
                   "aa is a with other orders of the batches and nothing else: it was not found different"));
    CHECK(contains(text_of(tabulate({variant("a", a), variant("aa", far)}, s), "x"),
                   "it was found different. One in twenty is found by chance"));
}

TEST_CASE("a last value that is no number, one that was not measured, and a loss that exploded") {
    std::vector<VariantRecord> variants = {variant("a", std::vector<double>(6, 0.9)),
                                           variant("b", std::vector<double>(6, 0.9))};
    std::vector<RunRecord>& runs = variants[1].runs;
    runs[0].lines.back().scores.values[0].second = std::nan("");
    runs[1].lines.back().scores.values.erase(runs[1].lines.back().scores.values.begin());
    runs[2].exploded = "{}";
    const Result t = tabulate(variants, accuracy_settings());
    CHECK(t.rows[1].outcomes[0] == Outcome::diverged);  // not the value before
    CHECK(t.rows[1].outcomes[1] == Outcome::unknown);
    CHECK(t.rows[1].outcomes[2] == Outcome::diverged);
    CHECK(t.rows[1].diverged == 2);
    CHECK(!contains(text_of(t, "x"), "All runs trained"));
}

TEST_CASE("while runs are open, and of other examples, nothing is tested") {
    std::vector<double> a, b;
    for (int i = 0; i < 8; ++i) {
        a.push_back(0.6 + 0.02 * i);
        b.push_back(a.back() + 0.1 + 0.01 * (i % 3));
    }
    std::vector<VariantRecord> variants = {variant("a", a), variant("b", b)};
    variants[0].runs[7].ending = Ending::unfinished;
    const Result open = tabulate(variants, accuracy_settings());
    CHECK(open.open == 1);
    CHECK(open.tests == 0);
    CHECK(open.looks.empty());
    CHECK(contains(text_of(open, "x"), "1 run is open: nothing is tested"));
    CHECK(contains(text_of(open, "x"), "Found, against a: runs are open: b."));

    variants = {variant("a", a), variant("b", b)};
    for (VariantRecord& v : variants)
        for (RunRecord& run : v.runs) run.examples = Examples{v.name == "a" ? "one file" : "another", {0, 1}, {0.1, -0.1}};
    const Result other = tabulate(variants, accuracy_settings());
    CHECK(other.rows[1].contrast->other_examples);
    CHECK(other.tests == 0);
    CHECK(contains(text_of(other, "x"), "b: no verdict on values, as it was measured on other examples than a."));
}

TEST_CASE("looks again are tested at a smaller level, and are kept") {
    std::vector<double> a, b;
    for (int i = 0; i < 8; ++i) {
        a.push_back(0.6 + 0.02 * i);
        b.push_back(a.back() + 0.1 + 0.01 * (i % 3));
    }
    Settings s = accuracy_settings();
    const Result first = tabulate({variant("a", a), variant("b", b)}, s);
    REQUIRE(first.looks.size() == 1);
    CHECK(first.look == 1);
    s.looks = {{"accuracy", "valid", "last", {1, 2, 3, 4, 5}}};
    const Result second = tabulate({variant("a", a), variant("b", b)}, s);
    CHECK(second.look == 2);
    CHECK(second.looks.size() == 2);
    CHECK(second.rows[1].contrast->corrected.value() ==
          doctest::Approx(std::min(1.0, first.rows[1].contrast->corrected.value() * 0.05 / level_of_look(2, 0.05))));
    CHECK(second.rows[1].contrast->verdict == Verdict::not_distinguishable);
    CHECK(contains(text_of(second, "name"), "Look 2 at this comparison"));
    CHECK(!contains(text_of(second, "name"), "withdrawn"));  // that look is not known to have found anything

    // What an earlier look found and this one does not is named, also from what compare.json keeps.
    std::vector<VariantRecord> five = {variant("a", a), variant("b", b)};
    for (VariantRecord& v : five) v.runs.resize(5);
    const Result early = tabulate(five, accuracy_settings());
    REQUIRE(early.looks.size() == 1);
    CHECK(early.looks[0].found == std::vector<Finding>{{"b", "a", "better when it trains"}});
    const oracles::TemporaryFolder folder;
    std::ofstream(folder / "compare.json") << json_of(early).text();
    s.looks = looks_in(folder / "compare.json");
    CHECK(s.looks[0].found == early.looks[0].found);
    const Result late = tabulate({variant("a", a), variant("b", b)}, s);
    CHECK(
        contains(text_of(late, "name"),
                 "Look 1 found, against a: better when it trains: b. This look does not find it again, so it is withdrawn.\n"));
    s.looks = late.looks;
    CHECK(contains(text_of(tabulate({variant("a", a), variant("b", b)}, s), "name"), "so it is withdrawn."));
    CHECK(!contains(text_of(tabulate({variant("a", a), variant("c", b)}, s), "name"), "withdrawn"));
    CHECK(!contains(text_of(tabulate(five, s), "name"), "withdrawn"));  // nothing is earlier

    s.looks = second.looks;  // the same seeds again are the same look
    CHECK(tabulate({variant("a", a), variant("b", b)}, s).look == 2);
    s.looks = {{"accuracy", "valid", "last", {21, 22}}, {"loss", "valid", "last", {1, 2, 3}}};  // other seeds, another metric
    CHECK(tabulate({variant("a", a), variant("b", b)}, s).look == 1);
    double later = 0;
    for (int64_t j = 2; j < 10'000; ++j) later += level_of_look(j, 0.05);
    CHECK(later == doctest::Approx(0.01).epsilon(1e-3));
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
