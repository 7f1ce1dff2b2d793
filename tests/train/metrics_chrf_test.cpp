#include <doctest/doctest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/train/metrics_support.h"
#include "train/evaluate/metrics/chrf.h"
#include "train/evaluate/metrics/metrics.h"

namespace metrics_chrf_test {

using namespace attend;

namespace {
double chrf_of(std::string_view hypothesis, std::string_view reference) {
    ChrfCounts counts;
    counts.add(hypothesis, {&reference, 1});
    return counts.score();
}
}  // namespace

TEST_SUITE("chrf") {
    TEST_CASE("values worked out by tests/golden/chrf.py") {
        std::ifstream in(ATTEND_SOURCE_DIR "/tests/golden/chrf.json");
        const auto cases = nlohmann::json::parse(in);
        CHECK(cases.size() >= 50);
        for (const auto& c : cases) {
            CAPTURE(c["name"].get<std::string>());
            Metric metric = make_chrf();
            for (const auto& pair : c["pairs"]) {
                EvaluatedExample e;
                e.decoded.text = pair[0].get<std::string>();
                e.references = golden_references(pair[1]);
                metric.add(e);
            }
            CHECK(*metric.value() == doctest::Approx(c["chrf"].get<double>()).epsilon(1e-12));
        }
    }
    TEST_CASE("chrf values anyone can work out") {
        CHECK(chrf_of("abcdefgh", "abc defgh") == doctest::Approx(100).epsilon(1e-14));
        // Letters 2 of 3 on both sides, pairs 1 of 2, triples 0 of 1: the mean is 7/18.
        CHECK(chrf_of("abx", "abc") == doctest::Approx(100.0 * 7 / 18));
        // P = (2/2 + 1/1) / 2 = 1, R = (2/4 + 1/3) / 2 = 5/12: longer orders are missing on one
        // side.
        CHECK(chrf_of("ab", "abcd") == doctest::Approx(500.0 * 5 / 12 / (4 + 5.0 / 12)));
        CHECK(chrf_of("ab", "cd") == 0);
        CHECK(ChrfCounts{}.score() == 0);
    }
    TEST_CASE("characters are code points, bytes that are no text are characters") {
        CHECK(chrf_of("\u00e9", "\u00e8") == 0);  // though the first bytes agree
        CHECK(chrf_of("\xC3", "\xC3") == 100);
        CHECK(chrf_of("a\xC3", "a\xC4") == doctest::Approx(25));
        CHECK(chrf_of("a\u2003b\u00a0c", "abc") == 100);
    }
    TEST_CASE("the chrf metric") {
        Metric metric = make_chrf();
        CHECK_FALSE(metric.value().has_value());
        CHECK(metric.needs_decoding);
        CHECK(metric.better == Better::higher);
        metric.add(EvaluatedExample{});  // scored elsewhere
        CHECK_FALSE(metric.value().has_value());
        ChrfCounts counts;
        CHECK_THROWS_WITH_AS(counts.add("a", std::span<const std::string_view>()),
                             "chrf: a line needs a reference: references 0, needed at least 1", MachineError);
    }
}

}  // namespace metrics_chrf_test
