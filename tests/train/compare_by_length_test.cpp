// The metric of a comparison by the length of its test examples: means over seeds, intervals, what is shown.
#include <doctest/doctest.h>

#include <cmath>

#include "tests/train/compare_processes.h"
#include "train/records/example_scores.h"
#include "train/study/compare/conclusion.h"
#include "train/study/compare/length_curves.h"
#include "train/study/compare/table_text.h"

namespace compare_by_length_test {

TEST_SUITE_BEGIN("train: compare by length");

using namespace attend;
using namespace attend::compare;
using attend::testing::Compares;
using attend::testing::contains;
using attend::testing::message_of;
namespace fs = std::filesystem;

namespace {

// A run that kept whether it was right on examples of these source lengths.
RunRecord run_of(int64_t seed, const std::vector<int64_t>& lengths, const std::vector<double>& right,
                 const std::string& fingerprint = "f") {
    RunRecord run;
    run.seed = seed;
    run.ending = Ending::finished;
    run.scores = ExampleScores{{"exact_match"}, fingerprint, {}};
    for (std::size_t e = 0; e < lengths.size(); ++e)
        run.scores->examples.push_back({static_cast<int64_t>(e), {{right[e], 1}}, ExampleLengths{lengths[e], 2 * lengths[e]}});
    return run;
}

Testing testing_of() { return {.better = Better::higher, .bounds = {0, 1}}; }

LengthCurves curves_of(const std::vector<VariantRecord>& variants, const ByLength& asked) {
    std::vector<std::vector<compare::Outcome>> outcomes;
    for (const VariantRecord& v : variants)
        outcomes.push_back(std::vector<compare::Outcome>(v.runs.size(), compare::Outcome::trained));
    return length_curves(variants, outcomes, "exact_match", asked, testing_of());
}

const std::vector<int64_t> lengths = {3, 4, 4, 9, 9, 9};

}  // namespace

TEST_CASE("curves by length: means over seeds of each bin's value, with the intervals of a comparison") {
    const std::vector<VariantRecord> variants = {
        {"a", {run_of(1, lengths, {1, 1, 0, 0, 0, 0}), run_of(2, lengths, {1, 1, 1, 1, 0, 0})}},
        {"b", {run_of(1, lengths, {1, 1, 1, 1, 1, 1}), run_of(2, lengths, {1, 1, 1, 1, 1, 1})}}};
    const LengthCurves curves = curves_of(variants, {Side::source, {5, 8}});
    CHECK(curves.missing.empty());
    REQUIRE(curves.bins.size() == 3);
    REQUIRE(curves.variants.size() == 2);
    REQUIRE(curves.variants[0].size() == 2);  // nothing is 6 to 8 long
    const LengthMean &low = curves.variants[0][0], &high = curves.variants[0][1];
    CHECK(low.moments.mean == doctest::Approx((2.0 / 3 + 1) / 2));
    CHECK(high.moments.mean == doctest::Approx((0 + 1.0 / 3) / 2));
    CHECK(high.bin == 2);
    CHECK(low.length == doctest::Approx(11.0 / 3));
    CHECK(low.examples == 3);
    CHECK(low.runs == 2);
    // The same tests, so two populations, and each interval is that of a comparison over these examples alone.
    REQUIRE(low.limits.size() == 2);
    CHECK(low.limits[1].population == Population::seeds_and_examples);
    const std::vector<std::vector<Statistics>> of = {{{1, 1}, {1, 1}, {0, 1}}, {{1, 1}, {1, 1}, {1, 1}}};
    const Metric metric = metric_of("exact_match");
    const Sampled sampled{{2.0 / 3, 1}, {influence_of(metric, of[0]), influence_of(metric, of[1])}, true};
    const Limits expected = limits_of(*estimated(sampled, Population::seeds_and_examples), {0, 1}, 0.95);
    const Limits of_seeds = limits_of(*estimated(sampled, Population::seeds), {0, 1}, 0.95);
    CHECK(low.limits[0].limits.low == doctest::Approx(of_seeds.low));
    CHECK(low.limits[1].limits.low == doctest::Approx(std::min(expected.low, of_seeds.low)));
    CHECK(low.limits[1].limits.high == doctest::Approx(std::max(expected.high, of_seeds.high)));
    const LengthMean& perfect = curves.variants[1][1];
    CHECK(perfect.moments.mean == 1);
    CHECK(perfect.limits.back().limits.low < 0.5);  // three examples
    CHECK(perfect.limits.back().limits.high == 1);
    // Bins from the data: the lengths that there are; and the other side.
    CHECK(curves_of(variants, {Side::source, {}}).bins == std::vector<LengthBin>{{3, 3}, {4, 4}, {9, 9}});
    CHECK(curves_of(variants, {Side::target, {}}).bins == std::vector<LengthBin>{{6, 6}, {8, 8}, {18, 18}});
}

TEST_CASE("curves by length: seeds with tests of their own, runs that did not train, and files without lengths") {
    std::vector<VariantRecord> variants = {
        {"a", {run_of(1, {2, 2, 5}, {1, 0, 1}, "one"), run_of(2, {2, 5, 5, 7}, {0, 1, 1, 1}, "two")}}};
    LengthCurves curves = curves_of(variants, {Side::source, {}});
    REQUIRE(curves.variants[0].size() == 3);
    CHECK(curves.variants[0][0].examples == 3);
    REQUIRE(curves.variants[0][0].limits.size() == 1);
    CHECK(curves.variants[0][0].limits[0].population == Population::seeds_and_examples);
    CHECK(curves.variants[0][2].runs == 1);  // the other seed's test has none that are so long
    CHECK(curves.variants[0][2].limits.empty());
    const auto outcome = [&](compare::Outcome first) {
        return length_curves(variants, {{first, compare::Outcome::trained}}, "exact_match", {Side::source, {}}, testing_of());
    };
    CHECK(outcome(compare::Outcome::collapsed).variants[0][0].runs == 1);
    variants[0].runs[0].scores->examples[1].lengths = {};
    CHECK(outcome(compare::Outcome::diverged).missing.empty());  // it is not needed
    curves = outcome(compare::Outcome::trained);
    CHECK(contains(curves.missing, "1 of 2 runs that trained keep no lengths"));
    CHECK(curves.variants.empty());
    variants[0].runs[0].scores = {};
    CHECK(contains(outcome(compare::Outcome::trained).missing, "1 of 2 runs"));
}

TEST_CASE("compare.by_length is a side, or an object of side and edges, and what cannot be is refused") {
    const attend::testing::SmallRun files;
    const auto read = [&](const std::string& compare, const std::vector<std::string>& set = {}) {
        std::ofstream(files / "compare.json")
            << R"({"base": "small.json", "seeds": [1, 2], "variants": {"a": {}}, "compare": )" << compare << "}";
        return prepare(read_comparison((files / "compare.json").string(), set), "").settings.by_length;
    };
    CHECK(!read("{}"));
    CHECK(read(R"({"by_length": "source"})")->side == Side::source);
    const auto object = read(R"({"by_length": {"side": "target", "edges": [3, 4]}})");
    CHECK(object->side == Side::target);
    CHECK(object->edges == std::vector<int64_t>{3, 4});
    CHECK(read("{}", {"compare.by_length=target"})->side == Side::target);
    const auto error = [&](const std::string& compare) { return message_of([&] { read(compare); }); };
    CHECK(contains(error(R"({"by_length": {"side": "source", "edges": [4, 3]}})"),
                   "compare.by_length: edges: the edges do not rise: 3 after 4"));
    CHECK(contains(error(R"({"by_length": "sourec"})"), "source"));
    CHECK(contains(error(R"({"by_length": "source", "split": "train"})"), "compare.by_length: it is for the test split"));
    CHECK(contains(error(R"({"by_length": "source", "split": "valid", "evaluation": "best"})"), "evaluation 'best'"));
}

#if !defined(ATTEND_SANITIZED)  // they do not follow a fork into threads

TEST_CASE("a comparison by length in the table, compare.json and the page, and runs of older programs say so") {
    const Compares c;
    const CompareRequest request = c.request(
        R"({"base": "small.json", "seeds": [1, 2], "variants": {"soft": {}, "none": {"model.attention": "none", "model.bidirectional": false}},
            "compare": {"metric": "accuracy", "by_length": {"side": "source", "edges": [3, 9]}}})",
        {"train.steps=4", "data.test_seed=5", "data.test_examples=30"});
    const Compared result = run_comparison(request);
    const Json json = c.json();
    CHECK(json["by_length"]["side"] == "source");
    CHECK(json["by_length"]["bins"][1]["name"] == "4-9");
    CHECK(json["by_length"]["bins"][2]["to"].is_null());
    double mean = 0;
    int64_t examples = 0;
    for (const int seed : {1, 2}) {
        const ExampleScores scores = read_scores(c.files / fmt::format("out/none/seed-{}/test_scores.jsonl", seed)).scores;
        const auto at = std::ranges::find(scores.metrics, "accuracy") - scores.metrics.begin();
        double right = 0, all = 0;
        examples = 0;
        for (const ExampleScores::Example& e : scores.examples)
            if (e.lengths->source > 3) {
                right += e.of[static_cast<std::size_t>(at)][0];
                all += e.of[static_cast<std::size_t>(at)][1];
                ++examples;
            }
        mean += right / all / 2;
    }
    const Json& none = json["variants"][1]["by_length"];
    REQUIRE(none.size() == 2);  // nothing is longer than 9
    CHECK(none[1]["mean"].get<double>() == doctest::Approx(mean));
    CHECK(none[1]["examples"] == examples);
    CHECK(none[1]["runs"] == 2);
    CHECK(none[1]["limits"]["new_seeds_and_examples"][0] < none[1]["mean"]);
    CHECK(none[1]["limits"].contains("new_seeds_these_examples"));
    const std::string text = text_of(result.table, "x");
    CHECK(contains(text,
                   "\naccuracy (test) by source symbols: means of the runs that trained; intervals, for each bin by "
                   "itself: new seeds and new examples\nsource symbols  examples  soft"));
    CHECK(contains(text, fmt::format("\n4-9                   {}  ", examples)));
    CHECK(!contains(text, "10 and more"));
    CHECK(contains(c.files.text("out/compare.html"), "\"by_length\""));

    const fs::path path = c.files / "out/soft/seed-2/test_scores.jsonl";
    KeptScores kept = read_scores(path);
    for (ExampleScores::Example& e : kept.scores.examples) e.lengths = {};
    write_scores(path, kept);
    const Compared older = present_comparison(request.comparison, request.folder);
    CHECK(contains(text_of(older.table, "x"),
                   "\naccuracy (test) by source symbols: none: 1 of 4 runs that trained keep no lengths of their examples"));
    CHECK(contains(older.json.json()["by_length"]["missing"].get<std::string>(), "1 of 4 runs"));
}

#endif

TEST_SUITE_END();

}  // namespace compare_by_length_test
