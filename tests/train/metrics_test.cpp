#include <doctest/doctest.h>

#include <cmath>

#include "train/evaluate/metrics/metrics.h"

namespace metrics_test {

using namespace attend;

namespace {

EvaluatedExample attended(int64_t columns, std::vector<float> weights, std::vector<Range> gold) {
    EvaluatedExample e;
    e.attention.rows = static_cast<int64_t>(weights.size()) / columns;
    e.attention.columns = columns;
    e.attention.weights = std::move(weights);
    e.gold = std::move(gold);
    return e;
}
constexpr auto r = [](double x) { return static_cast<float>(x); };

}  // namespace

TEST_SUITE("metrics") {
    TEST_CASE("the table holds what the tasks ask for, and builds it") {
        for (const char* name : {"accuracy", "exact_match", "bleu", "alignment_accuracy", "attention_entropy"}) {
            Metric metric = metric_table().build(Selection(metric_table(), name));
            CHECK_FALSE(metric.value().has_value());
        }
    }
    TEST_CASE("accuracy: over targets, not over examples") {
        Metric metric = make_accuracy();
        EvaluatedExample e;
        e.targets = {4, 5, 6, 2};
        e.predicted = {4, 5, 7, 2};
        metric.add(e);
        CHECK(*metric.value() == 0.75);
        e.targets = {2};
        e.predicted = {4};
        metric.add(e);
        CHECK(*metric.value() == 0.6);
        e.predicted = {4, 4};
        CHECK_THROWS_WITH_AS(metric.add(e), "accuracy: counts differ: targets 1, predictions 2", MachineError);
        CHECK_FALSE(metric.needs_decoding);
        CHECK_FALSE(metric.needs_attention);
    }
    TEST_CASE("row accuracy: rows all of whose targets are predicted, of those that have a target") {
        Metric metric = make_row_accuracy();
        EvaluatedExample e;
        metric.add(e);
        CHECK_FALSE(metric.value().has_value());
        e.targets = {4, 5, 6};
        for (const auto& predicted : std::vector<std::vector<int32_t>>{{4, 5, 6}, {4, 5, 7}, {4, 5, 6}, {1, 2, 3}}) {
            e.predicted = predicted;
            metric.add(e);
        }
        CHECK(*metric.value() == 0.5);
        CHECK_FALSE(metric.needs_decoding);
    }
    TEST_CASE("alignment of the best head: of the head that looks at gold positions most often") {
        Metric metric = make_alignment_best_head();
        EvaluatedExample e;
        e.gold = {{}, {0, 1}, {}, {2, 4}};
        metric.add(e);  // a model without maps
        CHECK_FALSE(metric.value().has_value());
        e.looked_at = {{0, 0, 1, 2}, {0, 1, 2, 3}, {-1, -1, -1, -1}};  // two hits, one, none
        metric.add(e);
        CHECK(*metric.value() == 1);
        e.looked_at = {{0, 1, 1, 1}, {0, 0, 2, 2}, {0, 0, 0, 0}};
        metric.add(e);
        CHECK(*metric.value() == 0.75);  // head 1 has 3 of 4; the best head of each row would have all
        e.gold = {{}, {}, {}, {}};
        metric.add(e);
        CHECK(*metric.value() == 0.75);
        CHECK(metric.needs_attention);
        CHECK_FALSE(metric.needs_decoding);
    }
    TEST_CASE("label accuracy: over rows that have a label") {
        Metric metric = make_label_accuracy();
        EvaluatedExample e;
        e.targets = e.predicted = {1, 2};
        metric.add(e);
        CHECK_FALSE(metric.value().has_value());
        for (const int32_t predicted : {2, 0, 2, 2}) {
            e.label = ScoredLabel{2, predicted, 0.5};
            metric.add(e);
        }
        CHECK(*metric.value() == 0.75);
    }
    TEST_CASE("bits per byte: of the whole text, not the mean over examples") {
        Metric metric = make_bits_per_byte();
        EvaluatedExample e;
        e.reference = "caf\u00e9";  // 5 bytes
        e.loss = 10 * std::log(2);
        e.targets = {1, 2, 3, 4};
        metric.add(e);
        CHECK(*metric.value() == doctest::Approx(2).epsilon(1e-12));
        e.reference = "abc";
        e.loss = 0;
        metric.add(e);
        CHECK(*metric.value() == doctest::Approx(1.25).epsilon(1e-12));
        CHECK(metric.better == Better::lower);
        CHECK_FALSE(metric.needs_decoding);
    }
    TEST_CASE("exact match: the whole text, byte for byte") {
        Metric metric = make_exact_match();
        EvaluatedExample e;
        for (const auto& [decoded, reference] : std::vector<std::pair<std::string, std::string>>{
                 {"1998-03-03", "1998-03-03"}, {"1998-03-04", "1998-03-03"}, {"", "x"}, {"a b ", "a b"}, {"A", "a"}}) {
            e.decoded.text = decoded;
            e.references = {{reference, {}}};
            metric.add(e);
        }
        CHECK(*metric.value() == 0.2);
        CHECK(metric.needs_decoding);
    }
    TEST_CASE("alignment accuracy: the most attended position lies in the gold range") {
        Metric metric = make_alignment_accuracy();
        CHECK(metric.needs_attention);
        CHECK_FALSE(metric.needs_decoding);
        // Rows: hit; miss by one on the left; no gold; hit at the range's last; eos's row, which
        // has no range.
        metric.add(attended(4, {r(.1), r(.2), r(.6), r(.1),  //
                                r(.1), r(.5), r(.2), r(.2),  //
                                r(.1), r(.7), r(.1), r(.1),  //
                                r(.1), r(.1), r(.1), r(.7),  //
                                r(.9), r(.1), 0,     0},
                            {{2, 3}, {2, 4}, {}, {1, 4}}));
        CHECK(*metric.value() == doctest::Approx(2.0 / 3));
        // The end of a range is outside of it; of equal weights the first counts; a row without
        // weight is a miss.
        metric.add(attended(2, {r(.5), r(.5), r(.5), r(.5), 0, 0}, {{0, 1}, {1, 2}, {0, 2}}));
        CHECK(*metric.value() == doctest::Approx(3.0 / 6));
        metric.add(attended(3, {0, 0, 1}, {{0, 2}}));
        CHECK(*metric.value() == doctest::Approx(3.0 / 7));
    }
    TEST_CASE("alignment of a part: at least half of its attention lies on what it comes from") {
        // Parts: symbol 0 from position 2; symbols 2 and 3 from positions 0 and 1. Symbol 1 is of
        // none.
        const auto weights = [](double zero, double one) {  // of symbols 2 and 3: what lies on positions 0 and 1, rest on 3
            EvaluatedExample e = attended(4,
                                          {r(.2), r(.2), r(.6), 0,      //
                                           0, 0, 0, 1,                  //
                                           r(zero), 0, 0, r(1 - zero),  //
                                           0, r(one), 0, r(1 - one)},
                                          {{2, 3}, {3, 4}, {0, 1}, {1, 2}});
            e.parts = {{"year", {0, 1}}, {"day", {2, 4}}};
            return e;
        };
        const auto value = [](const char* name, const EvaluatedExample& e) {
            Metric metric = metric_table().build(Selection(metric_table(), name));
            CHECK(metric.needs_attention);
            metric.add(e);
            return metric.value();
        };
        CHECK(*value("alignment_year", weights(0, 0)) == 1);
        CHECK(*value("alignment_day", weights(1, 0)) == 1);  // one symbol of two
        CHECK(*value("alignment_day", weights(.25, .75)) == 1);
        CHECK(*value("alignment_day", weights(.25, .5)) == 0);
        CHECK(*value("alignment_day", weights(-.5, .75)) == 0);  // a weight below 0 is no look elsewhere, nor here
        CHECK(*value("alignment_day", weights(1.5, -.25)) == 1);
        CHECK_FALSE(value("alignment_month", weights(1, 1)).has_value());
        EvaluatedExample nowhere = weights(1, 1);
        nowhere.gold[2] = nowhere.gold[3] = {};
        CHECK_FALSE(value("alignment_day", nowhere).has_value());
    }
    TEST_CASE("alignment accuracy: nothing to count, and too few rows") {
        Metric metric = make_alignment_accuracy();
        metric.add(EvaluatedExample{});
        metric.add(attended(2, {1, 0}, {}));
        metric.add(attended(2, {1, 0}, {{1, 1}}));
        EvaluatedExample without = attended(2, {}, {{0, 1}});
        metric.add(without);
        CHECK_FALSE(metric.value().has_value());
        CHECK_THROWS_WITH_AS(metric.add(attended(2, {1, 0}, {{0, 1}, {0, 1}})),
                             "alignment_accuracy: more symbols than attention rows: gold ranges 2, rows 1", MachineError);
    }
    TEST_CASE("attention entropy: mean over rows, in nats") {
        Metric metric = make_attention_entropy();
        CHECK_FALSE(metric.value().has_value());
        CHECK(metric.needs_attention);
        metric.add(attended(4, {1, 0, 0, 0}, {}));
        CHECK(*metric.value() == 0);
        metric.add(attended(4, {r(.25), r(.25), r(.25), r(.25), r(.5), r(.5), 0, 0}, {}));
        CHECK(*metric.value() == doctest::Approx((std::log(4.0) + std::log(2.0)) / 3));
        metric.add(attended(2, {0, 0}, {}));  // a row without weight does not count
        CHECK(*metric.value() == doctest::Approx((std::log(4.0) + std::log(2.0)) / 3));
        metric.add(attended(2, {r(1.5), r(-.5)}, {}));  // one with a weight below 0 has no entropy
        CHECK(*metric.value() == doctest::Approx((std::log(4.0) + std::log(2.0)) / 3));
        CHECK(metric.better == Better::lower);
        // Weights that do not sum to 1 are divided by their sum: one position alone has the entropy 0.
        Metric others = make_attention_entropy();
        others.add(attended(2, {r(3), 0}, {}));
        CHECK(*others.value() == 0);
        others.add(attended(2, {r(.1), r(.1)}, {}));
        CHECK(*others.value() == doctest::Approx(std::log(2.0) / 2));
    }
}

}  // namespace metrics_test
