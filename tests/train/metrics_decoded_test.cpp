#include <doctest/doctest.h>

#include <chrono>
#include <cmath>
#include <functional>

#include "core/base/random.h"
#include "tests/train/metrics_support.h"
#include "train/evaluate/metrics/bootstrap.h"
#include "train/evaluate/metrics/confusion.h"
#include "train/evaluate/metrics/edit_distance.h"
#include "train/evaluate/metrics/metrics.h"

namespace metrics_decoded_test {

using namespace attend;

namespace {

using Strings = std::vector<std::string>;

// The definition itself, without a table.
int64_t slow_distance(std::span<const std::string> a, std::span<const std::string> b) {
    if (a.empty() || b.empty())
        return static_cast<int64_t>(a.size() + b.size());
    return std::min({slow_distance(a.first(a.size() - 1), b.first(b.size() - 1)) + (a.back() == b.back() ? 0 : 1),
                     slow_distance(a.first(a.size() - 1), b) + 1, slow_distance(a, b.first(b.size() - 1)) + 1});
}

double value(Metric metric, const std::vector<EvaluatedExample>& examples) {
    for (const EvaluatedExample& e : examples) metric.add(e);
    return metric.value().value_or(-1);
}

}  // namespace

TEST_SUITE("metrics of decoded symbols") {
    TEST_CASE("edit distance and alignment against the definition, on small random sequences") {
        Stream stream(1, "edits");
        const auto draw = [&] {
            Strings s(stream.below(7));
            for (std::string& symbol : s) symbol = std::string(1, static_cast<char>('a' + stream.below(3)));
            return s;
        };
        for (int i = 0; i < 300; ++i) {
            const Strings a = draw(), b = draw();
            const int64_t distance = slow_distance(a, b);
            REQUIRE(edit_distance(a, b) == distance);
            // Every symbol once, in order, and as many faults as the distance.
            int64_t faults = 0, next_a = 0, next_b = 0;
            for (const AlignedPair& pair : align_symbols(a, b)) {
                REQUIRE((pair.reference >= 0 || pair.decoded >= 0));
                if (pair.reference >= 0)
                    REQUIRE(pair.reference == next_a++);
                if (pair.decoded >= 0)
                    REQUIRE(pair.decoded == next_b++);
                faults += pair.reference < 0 || pair.decoded < 0 ||
                          a[static_cast<std::size_t>(pair.reference)] != b[static_cast<std::size_t>(pair.decoded)];
            }
            REQUIRE(next_a == static_cast<int64_t>(a.size()));
            REQUIRE(next_b == static_cast<int64_t>(b.size()));
            REQUIRE(faults == distance);
        }
    }
    TEST_CASE("error rates: once a source, the best of its references") {
        const std::vector<EvaluatedExample> examples = {
            decoded_words("K AE T", {"K AE T", "K AE T S"}),  // right by the first
            decoded_words("D AO G", {"D AA", "D AA G S"}),    // 2 of 2, or 2 of 4
            decoded_words("", {}),                            // scored with another one
            decoded_words("a b c", {"x"}),                    // 3 of 1: above 1
        };
        CHECK(value(make_exact_match(), examples) == doctest::Approx(1.0 / 3));
        CHECK(value(make_word_error_rate(), examples) == doctest::Approx(2.0 / 3));
        CHECK(value(make_symbol_error_rate(), examples) == doctest::Approx((0 + 0.5 + 3) / 3));
        CHECK(value(make_edit_distance(), examples) == doctest::Approx((0 + 2 + 3) / 3.0));
        CHECK(value(make_symbol_error_rate(), {decoded_words("a b", {""})}) == 2);
    }
    TEST_CASE("directions and needs, nothing to count") {
        for (const char* name : {"exact_match", "word_error_rate", "symbol_error_rate", "edit_distance", "bleu", "chrf"}) {
            CAPTURE(name);
            Metric metric = metric_table().build(Selection(metric_table(), name));
            const std::string text = name;
            const bool counts_errors = text.ends_with("error_rate") || text == "edit_distance";
            CHECK((metric.better == Better::lower) == counts_errors);
            CHECK(metric.needs_decoding);
            metric.add(decoded_words("a", {}));
            CHECK_FALSE(metric.value().has_value());
        }
    }
    TEST_CASE("a metric's value is a function of the sums of its statistics") {
        const std::vector<EvaluatedExample> examples = {decoded_words("the cat sat on the mat", {"the cat sat on a mat"}),
                                                        decoded_words("a b c d e", {"a b c d f", "e d c b a"})};
        for (const std::string& name : metric_table().names()) {
            CAPTURE(name);
            Metric metric = metric_table().build(Selection(metric_table(), name));
            Statistics sums;
            for (const EvaluatedExample& e : examples) {
                const Statistics numbers = metric.statistics(e);
                sums.resize(std::max(sums.size(), numbers.size()));
                for (std::size_t i = 0; i < numbers.size(); ++i) sums[i] += numbers[i];
                metric.add(e);
            }
            if (metric.needs_decoding)
                CHECK(metric.score(sums) == metric.value());
        }
        Metric metric = make_bleu();
        metric.add(Statistics(10, 1.0));
        CHECK_THROWS_WITH_AS(metric.add(Statistics(3, 1.0)),
                             "metric: examples differ in their count of numbers: numbers 3, before 10", MachineError);
    }
}

TEST_SUITE("bootstrap") {
    TEST_CASE("of a share: the interval of the binomial distribution") {
        // 400 examples, 100 of them right: standard error sqrt(0.25 * 0.75 / 400) = 0.02165, the 95
        // % interval 1.96 of it.
        ExampleStatistics examples;
        for (int i = 0; i < 400; ++i) examples.add({i % 4 == 0 ? 1.0 : 0.0, 1.0});
        examples.add({});
        CHECK(examples.examples() == 400);
        Metric metric = make_exact_match();
        const Interval wide = bootstrap(metric, examples, {.resamples = 2000, .seed = 3}).value();
        CHECK(std::abs(wide.low - (0.25 - 1.96 * 0.02165)) < 0.003);
        CHECK(std::abs(wide.high - (0.25 + 1.96 * 0.02165)) < 0.003);
        const Interval narrow = bootstrap(metric, examples, {.resamples = 2000, .seed = 3, .level = 0.5}).value();
        CHECK(std::abs(narrow.low - (0.25 - 0.6745 * 0.02165)) < 0.003);
        CHECK(std::abs(narrow.high - (0.25 + 0.6745 * 0.02165)) < 0.003);
        const Interval again = bootstrap(metric, examples, {.resamples = 2000, .seed = 3}).value();
        CHECK((again.low == wide.low && again.high == wide.high));
        const Interval other = bootstrap(metric, examples, {.resamples = 50, .seed = 4}).value();
        CHECK((other.low != wide.low || other.high != wide.high));
    }
    TEST_CASE("of a corpus metric, 1,000 resamples of 2,000 lines are quick") {
        Metric metric = make_chrf();
        ExampleStatistics examples;
        Stream stream(1, "lines");
        for (int i = 0; i < 2000; ++i) {
            std::string h, r;
            for (int k = 0; k < 8; ++k) {
                const auto letter = static_cast<char>('a' + stream.below(26));
                r += letter;
                h += stream.below(4) == 0 ? '#' : letter;
            }
            const EvaluatedExample e = decoded_words(h, {r});
            metric.add(e);
            examples.add(metric.statistics(e));
        }
        const auto begin = std::chrono::steady_clock::now();
        const Interval interval = bootstrap(metric, examples, {}).value();
        const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
        CHECK(interval.low < *metric.value());
        CHECK(interval.high > *metric.value());
        CHECK(interval.high - interval.low < 4);
        MESSAGE("seconds: ", seconds.count());
#if defined(NDEBUG) && !defined(ATTEND_SANITIZED)
        CHECK(seconds.count() < 2);  // about 0.07 on an idle machine
#endif
    }
    TEST_CASE("one example, none, and setups that cannot be met") {
        Metric metric = make_exact_match();
        ExampleStatistics examples;
        CHECK_FALSE(bootstrap(metric, examples, {}).has_value());
        examples.add({1.0, 1.0});
        const Interval one = bootstrap(metric, examples, {.resamples = 1}).value();
        CHECK((one.low == 1 && one.high == 1));
        CHECK_THROWS_WITH_AS(examples.add({1.0}), "bootstrap: examples differ in their count of numbers: numbers 1, before 2",
                             MachineError);
        CHECK_THROWS_WITH_AS(bootstrap(metric, examples, {.resamples = 0}),
                             "bootstrap: too few resamples: resamples 0, needed at least 1", Error);
        for (const double level : {0.0, 1.0, std::nan("")})
            CHECK_THROWS_AS(bootstrap(metric, examples, {.level = level}), Error);
    }
}

TEST_SUITE("confusion") {
    TEST_CASE("counts, classes, mistakes, tables") {
        Confusion confusion;
        confusion.add(decoded_words("a b c", {"a b c"}));
        confusion.add(decoded_words("a x c", {"q q q q", "a b c"}));  // the nearest reference counts
        confusion.add(decoded_words("a c c", {"a c"}));               // one too many
        confusion.add(decoded_words("c", {"b c"}));                   // one missing
        confusion.add(decoded_words("c", {}));
        CHECK(confusion.count("a", "a") == 3);
        CHECK(confusion.count("b", "x") == 1);
        CHECK(confusion.count("b", "") == 1);
        CHECK(confusion.count("", "c") == 1);
        CHECK(confusion.count("q", "a") == 0);
        const auto classes = confusion.classes();
        REQUIRE(classes.size() == 4);
        Strings order;
        for (const auto& c : classes) order.push_back(c.symbol);
        CHECK(order == Strings{"c", "a", "b", "x"});
        CHECK((classes[2].reference == 3 && classes[2].decoded == 1 && classes[2].right == 1));
        CHECK(classes[2].precision() == 1);
        CHECK(classes[2].recall() == doctest::Approx(1.0 / 3));
        CHECK(classes[2].f1() == doctest::Approx(0.5));
        CHECK((classes[3].reference == 0 && classes[3].recall() == 0 && classes[3].precision() == 0 && classes[3].f1() == 0));
        const auto mistakes = confusion.mistakes(2);
        REQUIRE(mistakes.size() == 2);
        CHECK((mistakes[0].reference.empty() && mistakes[0].decoded == "c" && mistakes[0].count == 1));
        CHECK(confusion.mistakes(9).size() == 3);
        CHECK(class_table(confusion) ==
              "symbol       reference   decoded precision    recall        f1\n"
              "'c'                  4         5    0.8000    1.0000    0.8889\n"
              "'a'                  3         3    1.0000    1.0000    1.0000\n"
              "'b'                  3         1    1.0000    0.3333    0.5000\n"
              "'x'                  0         1    0.0000    0.0000    0.0000\n");
        CHECK(mistake_table(confusion, 2) ==
              "    count reference    decoded\n"
              "        1 -            'c'\n"
              "        1 'b'          -\n");
        CHECK(confusion_table(confusion) ==
              "                 'c'     'a'     'b'     'x'       -\n"
              "'c'                4       0       0       0       0\n"
              "'a'                0       3       0       0       0\n"
              "'b'                0       0       1       1       1\n"
              "'x'                0       0       0       0       0\n"
              "-                  1       0       0       0       0\n");
    }
}

}  // namespace metrics_decoded_test
