#include <doctest/doctest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/train/metrics_support.h"
#include "train/evaluate/metrics/bleu.h"
#include "train/evaluate/metrics/metrics.h"

namespace metrics_bleu_test {

using namespace attend;

namespace {
using Strings = std::vector<std::string>;

double bleu_of(const std::vector<std::pair<std::string, std::string>>& pairs) {
    BleuCounts counts;
    for (const auto& [hypothesis, reference] : pairs) counts.add(hypothesis, std::vector<std::string_view>{reference});
    return counts.score();
}
}  // namespace

TEST_SUITE("bleu") {
    TEST_CASE("tokens and values worked out by tests/golden/bleu.py") {
        std::ifstream in(ATTEND_SOURCE_DIR "/tests/golden/bleu.json");
        const auto cases = nlohmann::json::parse(in);
        CHECK(cases.size() >= 50);
        for (const auto& c : cases) {
            CAPTURE(c["name"].get<std::string>());
            BleuCounts counts;
            Metric metric = make_bleu();
            for (std::size_t i = 0; i < c["pairs"].size(); ++i) {
                EvaluatedExample e;
                e.decoded.text = c["pairs"][i][0].get<std::string>();
                e.references = golden_references(c["pairs"][i][1]);
                CHECK(tokenize_13a(e.decoded.text) == c["tokens"][i].get<Strings>());
                std::vector<std::string_view> references;
                for (const Answer& r : e.references) references.push_back(r.text);
                counts.add(e.decoded.text, references);
                metric.add(e);
            }
            CHECK(counts.score() == doctest::Approx(c["bleu"].get<double>()).epsilon(1e-12));
            CHECK(metric.value() == counts.score());
        }
    }
    TEST_CASE("values anyone can work out") {
        CHECK(bleu_of({{"a b c d e", "a b c d e"}}) == doctest::Approx(100).epsilon(1e-14));
        // 4 of 5, 3 of 4, 2 of 3, 1 of 2
        CHECK(bleu_of({{"a b c d x", "a b c d e"}}) == doctest::Approx(100 * std::pow(0.8 * 0.75 / 3, 0.25)));
        // 4 of 5, 2 of 4, then 1/2 of 3 and 1/4 of 2
        CHECK(bleu_of({{"a b x d e", "a b c d e"}}) == doctest::Approx(100 * std::pow(0.8 * 0.5 / 6 / 8, 0.25)));
        // all of 4, but 4 of 6 words
        CHECK(bleu_of({{"a b c d", "a b c d e f"}}) == doctest::Approx(100 * std::exp(-0.5)));
        // The value that sacreBLEU's own tests give for these counts.
        const BleuCounts counts{
            .matches = {9, 7, 5, 3}, .possible = {10, 8, 6, 4}, .hypothesis_length = 11, .reference_length = 11};
        CHECK(counts.score() == doctest::Approx(83.75922397).epsilon(1e-9));
        CHECK(BleuCounts{}.score() == 0);
    }
    TEST_CASE("line feeds and trailing white space") {
        CHECK(tokenize_13a("a exam-\nple b\nc") == Strings{"a", "example", "b", "c"});
        CHECK(tokenize_13a("ends in a hyphen-\n") == Strings{"ends", "in", "a", "hyphen-"});
        CHECK(tokenize_13a("").empty());
        CHECK(tokenize_13a(" \t\xC2\xA0").empty());
        CHECK(tokenize_13a("broken \xC3 \xE2\x80") == Strings{"broken", "\xC3", "\xE2\x80"});
        CHECK(tokenize_13a("a\x1C"
                           "b\xC2\x85"
                           "c\xE1\x9A\x80"
                           "d\xE2\x81\x9F"
                           "e\xE2\x80\xAF"
                           "f\xE2\x80\x8B"
                           "g") == Strings{"a", "b", "c", "d", "e",
                                           "f\xE2\x80\x8B"
                                           "g"});  // U+200B is no white space
    }
    TEST_CASE("bleu needs a reference") {
        BleuCounts counts;
        CHECK_THROWS_WITH_AS(counts.add("a", std::span<const std::string_view>()),
                             "bleu: a line needs a reference: references 0, needed at least 1", MachineError);
    }
    TEST_CASE("the metric") {
        Metric metric = make_bleu();
        CHECK_FALSE(metric.value().has_value());
        CHECK(metric.needs_decoding);
        CHECK_FALSE(metric.needs_attention);
        CHECK(metric.better == Better::higher);
    }
}

}  // namespace metrics_bleu_test
