// Metrics by the length of the examples: bins, values by hand, the files that keep the lengths, eval --by.
#include "train/records/by_length.h"

#include <doctest/doctest.h>

#include <cmath>
#include <numeric>

#include "core/base/files.h"
#include "tests/oracles/temporary_folder.h"
#include "tests/train/commands.h"
#include "tests/train/run_support.h"
#include "train/records/example_scores.h"
#include "train/study/compare/examples.h"

namespace by_length_test {

TEST_SUITE_BEGIN("train: by length");

using namespace attend;
using attend::oracles::TemporaryFolder;
using attend::testing::attend_command;
using attend::testing::contains;
using attend::testing::message_of;
using attend::testing::Outcome;
using attend::testing::SmallRun;

namespace {

std::vector<std::string> names_of(const std::vector<LengthBin>& bins) {
    std::vector<std::string> names;
    for (const LengthBin& b : bins) names.push_back(bin_name(b));
    return names;
}

std::vector<int64_t> from_to(int64_t first, int64_t last) {
    std::vector<int64_t> all(static_cast<std::size_t>(last - first + 1));
    std::iota(all.begin(), all.end(), first);
    return all;
}

using Names = std::vector<std::string>;

// Examples with a share and BLEU's ten numbers: matches and possible n-grams, the two lengths in tokens.
ExampleScores five_examples() {
    return {{"exact_match", "bleu"},
            "f",
            {{0, {{1, 1}, {6, 4, 3, 2, 6, 5, 4, 3, 6, 6}}, ExampleLengths{3, 6}},
             {1, {{0, 1}, {}}, ExampleLengths{12, 1}},
             {2, {{0, 1}, {2, 2, 1, 0, 4, 3, 2, 1, 4, 6}}, ExampleLengths{5, 6}},
             {3, {{1, 1}, {}}, ExampleLengths{11, 2}},
             {4, {{}, {}}, ExampleLengths{4, 3}}}};
}

}  // namespace

TEST_CASE("bins of lengths: one for each of few, equal round widths of many, the last open where a few are longer") {
    CHECK(names_of(bins_for({8, 4, 4, 2})) == Names{"2", "4", "8"});
    CHECK(names_of(bins_for(from_to(3, 12))).size() == 10);  // ten lengths
    CHECK(names_of(bins_for(from_to(3, 13))) == Names{"3-4", "5-6", "7-8", "9-10", "11-12", "13-14"});
    CHECK(names_of(bins_for(from_to(0, 29))) == Names{"up to 5", "6-10", "11-15", "16-20", "21-25", "26-30"});
    CHECK(bins_for(from_to(1, 90)) == bins_for(from_to(1, 81)));
    CHECK(bins_for(from_to(1, 90)).size() == 9);
    std::vector<int64_t> long_tail(500, 7);
    for (const int64_t length : from_to(1, 20)) long_tail.push_back(length);
    long_tail.push_back(4000);
    CHECK(names_of(bins_for(long_tail)).back() == "15 and more");
    CHECK(bins_for(long_tail).size() == 8);
    CHECK(bins_for({}).empty());
    for (int64_t most = 11; most < 3000; most += 7) {
        const std::vector<LengthBin> bins = bins_for(from_to(1, most));
        CHECK(bins.front().from == 1);
        CHECK(std::ssize(bins) <= most_bins);
        CHECK(std::ssize(bins) >= 3);
        for (std::size_t b = 1; b < bins.size(); ++b) CHECK(bins[b].from == bins[b - 1].to + 1);
    }
}

TEST_CASE("edges are the greatest lengths of bins") {
    CHECK(names_of(bins_between({10, 20})) == Names{"up to 10", "11-20", "21 and more"});
    CHECK(checked_edges({0, 3, 10}, "x") == std::vector<int64_t>{0, 3, 10});
    CHECK(contains(message_of([] { checked_edges({10, 10}, "x"); }), "x: the edges do not rise: 10 after 10"));
    CHECK(contains(message_of([] { checked_edges({2.5}, "x"); }), "x: not a length: 2.5"));
    CHECK(contains(message_of([] { checked_edges({-1}, "x"); }), "x: not a length: -1"));
    CHECK(contains(message_of([] { checked_edges({}, "x"); }), "x: wrong count of edges: 0"));
}

TEST_CASE("a metric by length is that of the bin's summed numbers") {
    const ExampleScores scores = five_examples();
    const auto shares = by_length(scores, "exact_match", Side::source, bins_between({3, 10, 20}));
    REQUIRE(shares.size() == 4);
    CHECK(shares[0].value == 1);
    CHECK(shares[1].examples == 2);
    CHECK(shares[1].length == doctest::Approx(4.5));
    CHECK(shares[1].numbers == std::vector<int64_t>{2});  // example 4 does not count for it
    CHECK(shares[1].value == 0);
    CHECK(shares[2].value == 0.5);
    CHECK(shares[2].numbers == std::vector<int64_t>{1, 3});
    CHECK(shares[3].examples == 0);
    CHECK(!shares[3].value);
    // The same examples by the other side.
    const auto by_target = by_length(scores, "exact_match", Side::target, bins_between({2}));
    CHECK(by_target[0].value == 0.5);
    CHECK(by_target[1].numbers == std::vector<int64_t>{0, 2});
    // BLEU: p_n = 8/10, 6/8, 4/6, 2/4; 10 tokens for 12 of the references.
    const auto bleu = by_length(scores, "bleu", Side::source, bins_between({10}));
    CHECK(bleu[0].value.value() == doctest::Approx(100 * std::exp(1 - 12.0 / 10) * std::pow(0.8 * 0.75 * 4 / 6 * 0.5, 0.25)));
    CHECK(!bleu[1].value);
    CHECK(contains(message_of([&] { by_length(scores, "chrf", Side::source, bins_between({10})); }), "no such metric: 'chrf'"));
}

TEST_CASE("limits for new examples are those of eval: exact of shares, resampled of others, none without resamples") {
    const std::vector<Statistics> right = {{1, 1}, {1, 1}, {0, 1}, {1, 1}}, losses = {{1, 0, 1, 0}, {3, 0, 1, 0}, {2, 0, 1, 0}};
    const auto share = compare::limits_for_new_examples(metric_of("exact_match"), right, {});
    const compare::Limits exact = compare::exact_rate(3, 4);
    CHECK(share.value().low == exact.low);
    CHECK(share.value().high == exact.high);
    ExampleStatistics examples;
    for (const Statistics& s : losses) examples.add(s);
    const auto loss = compare::limits_for_new_examples(metric_of("loss"), losses, {.resamples = 50, .seed = 3});
    CHECK(loss.value().low == bootstrap(metric_of("loss"), examples, {.resamples = 50, .seed = 3}).value().low);
    CHECK(!compare::limits_for_new_examples(metric_of("exact_match"), right, {.resamples = 0}));
}

TEST_CASE("kept scores hold the lengths, and files of older programs are read without") {
    const TemporaryFolder folder;
    const std::filesystem::path path = folder.path() / "test_scores.jsonl";
    write_scores(path, {Split::test, 7, five_examples()});
    const std::string text = read_file(path, 1 << 20);
    CHECK(contains(text, R"({"example":1,"lengths":[12,1],"exact_match")"));
    const ExampleScores back = read_scores(path).scores;
    CHECK(lengths_of(back, Side::source) == std::vector<int64_t>{3, 12, 5, 11, 4});
    CHECK(lengths_of(back, Side::target) == std::vector<int64_t>{6, 1, 6, 2, 3});
    std::string older = text;
    for (std::size_t at; (at = older.find(",\"lengths\"")) != std::string::npos;) older.erase(at, older.find(']', at) + 1 - at);
    std::ofstream(path) << older;
    const ExampleScores without = read_scores(path).scores;
    REQUIRE(without.examples.size() == 5);
    CHECK(!lengths_of(without, Side::source));
    CHECK(without.examples[1].of == back.examples[1].of);
    CHECK(by_length(without, "exact_match", Side::source, bins_between({10}))[0].examples == 0);
    for (const char* wrong : {"[1]", "[1,2,3]", "[1,-2]", "7", "[1,2.5]"}) {
        std::string broken = text;
        std::ofstream(path) << broken.replace(broken.find("[12,1]"), 6, wrong);
        CHECK_MESSAGE(contains(message_of([&] { read_scores(path); }), "test_scores.jsonl:3"), wrong);
    }
}

TEST_CASE("a run keeps the lengths of its examples, and eval lists its metrics by them") {
    const SmallRun runs;
    const std::string run = (runs / "r").string();
    runs.run("r", {"train.steps=4", "data.min_length=2", "data.max_length=5", "data.test_examples=30"});
    const ExampleScores kept = read_scores(runs / "r/test_scores.jsonl").scores;
    const std::vector<int64_t> sources = lengths_of(kept, Side::source).value();
    REQUIRE(sources.size() == 30);
    CHECK(*std::ranges::min_element(sources) == 2);
    CHECK(*std::ranges::max_element(sources) == 5);
    CHECK(lengths_of(kept, Side::target).value() == sources);  // copy; without eos
    CHECK(lengths_of(read_scores(runs / "r/valid_scores.jsonl").scores, Side::source));

    const Outcome json = attend_command({"eval", run, "--json", "--by", "source"});
    REQUIRE_MESSAGE(json.code == 0, json.error);
    const Json all = Json::parse(json.out), table = all["by_length"];
    CHECK(table["side"] == "source");
    REQUIRE(table["bins"].size() == 4);
    double right = 0;
    for (const Json& bin : table["bins"]) {
        CHECK(bin["from"] == bin["to"]);
        CHECK(bin["examples"] == std::ranges::count(sources, bin["from"].get<int64_t>()));
        right += bin["metrics"]["accuracy"].get<double>() * bin["examples"].get<double>() * (bin["from"].get<double>() + 1);
        const bool enough = bin["examples"] >= 10;
        CHECK(bin["intervals"].contains("loss") == enough);
        if (enough) {
            CHECK(bin["intervals"]["accuracy"][0] <= bin["metrics"]["accuracy"]);
            CHECK(bin["intervals"]["loss"][1] >= bin["metrics"]["loss"]);
        }
    }
    const double targets = std::accumulate(sources.begin(), sources.end(), 30.0);
    CHECK(all["accuracy"].get<double>() == doctest::Approx(right / targets));

    const Outcome text = attend_command({"eval", run, "--by", "target", "--bins", "3,9", "--split", "valid"});
    CHECK(contains(text.out, "target symbols  examples  loss"));
    const auto names = [&](const std::string& out, const std::string& metric) {
        return contains(out.substr(out.find("source symbols")), metric);
    };
    const Outcome plain = attend_command({"eval", run, "--by", "source"});
    CHECK(names(plain.out, "accuracy"));
    for (const std::string& metric : read_scores(runs / "r/test_scores.jsonl").scores.metrics) {
        const bool valued =
            std::ranges::any_of(table["bins"], [&](const Json& bin) { return bin["metrics"].contains(metric); });
        CHECK_MESSAGE(names(plain.out, metric) == valued, metric);
    }
    CHECK(contains(text.out, "\nup to 3"));
    CHECK(contains(text.out, "\n4-9 "));
    CHECK(!contains(text.out, "10 and more"));  // no example
    const Outcome bare = attend_command({"eval", run, "--by", "source", "--resamples", "0"});
    CHECK(bare.code == 0);
    CHECK(contains(bare.out, "source symbols"));
    CHECK(!contains(bare.out, "["));
    for (const std::vector<std::string>& wrong : std::vector<std::vector<std::string>>{
             {"--by", "width"}, {"--bins", "3"}, {"--by", "source", "--bins", "5,3"}, {"--by", "source", "--bins", "3,,5"}}) {
        std::vector<std::string> command = {"eval", run};
        command.insert(command.end(), wrong.begin(), wrong.end());
        CHECK_MESSAGE(attend_command(command).code == 2, wrong.back());
    }
}

TEST_SUITE_END();

}  // namespace by_length_test
