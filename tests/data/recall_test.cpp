#include <doctest/doctest.h>

#include <cmath>
#include <map>
#include <set>
#include <sstream>

#include "data/tasks/recall.h"
#include "tests/data/rows.h"

namespace recall_test {

using namespace attend;

namespace {

using Strings = std::vector<std::string>;
constexpr Split splits[] = {Split::train, Split::valid, Split::test};

RecallOptions small() {
    RecallOptions options;
    options.examples = {.train_examples = 300, .valid_examples = 60, .test_examples = 50};
    options.vocabulary = 20;
    options.pairs = 3;
    options.length = 17;
    return options;
}

// Of what is asked for first, second, ...: the place after the pairs (from 0).
std::vector<int64_t> places_of(const Batch& row, int64_t pairs) {
    std::vector<int64_t> places;
    for (int64_t i = 0; i < pairs; ++i)
        for (int64_t t = 2 * pairs; t < row.input.columns; ++t)
            if (row.target.at(0, t) != id_ignored && row.input.at(0, t) == row.input.at(0, 2 * i))
                places.push_back((t - 2 * pairs) / 2);
    return places;
}

std::vector<double> power_law(int64_t places, double power) {
    std::vector<double> p;
    double sum = 0;
    for (int64_t i = 1; i <= places; ++i) sum += std::pow(static_cast<double>(i), power - 1);
    for (int64_t i = 1; i <= places; ++i) p.push_back(std::pow(static_cast<double>(i), power - 1) / sum);
    return p;
}

}  // namespace

TEST_SUITE("recall") {
    TEST_CASE("pairs first, then each key once: its value is the target, and there is no other") {
        const auto task = recall_task(small(), {});
        CHECK(task->source_vocabulary_size() == 0);
        CHECK(task->target_vocabulary_size() == 20);
        for (const Split split : splits)
            each_row(*task, split, [](const Batch& row, const std::vector<Range>& gold) {
                REQUIRE(row.input.length(0) == 17);
                REQUIRE(gold.size() == 17);
                std::map<int32_t, int64_t> value_at;  // by key
                std::set<int32_t> values;
                for (int64_t i = 0; i < 3; ++i) {
                    const int32_t key = row.input.at(0, 2 * i), value = row.input.at(0, 2 * i + 1);
                    CHECK((key >= 1 && key < 10));
                    CHECK((value >= 10 && value < 20));
                    value_at[key] = 2 * i + 1;
                    values.insert(value);
                }
                CHECK((value_at.size() == 3 && values.size() == 3));
                std::set<int32_t> asked;
                for (int64_t t = 0; t < 17; ++t) {
                    const int32_t id = row.input.at(0, t), target = row.target.at(0, t);
                    const Range g = gold[static_cast<std::size_t>(t)];
                    if (target == id_ignored) {
                        CHECK(g.begin == g.end);
                        CHECK((t < 6 || id == 0));
                        continue;
                    }
                    CHECK((t >= 6 && t % 2 == 0));
                    REQUIRE(value_at.contains(id));
                    CHECK((g.begin == value_at[id] && g.end == g.begin + 1));
                    CHECK(target == row.input.at(0, g.begin));
                    asked.insert(id);
                }
                CHECK(asked.size() == 3);
            });
    }
    TEST_CASE("what people see of it") {
        const auto task = recall_task(small(), {});
        const auto batch = task->batches(Split::valid, {.batch = 4})->at(0);
        CHECK(batch.targets() == 12);
        const int64_t e = batch.examples[1];
        std::istringstream read(task->source_text(Split::valid, e)), asked(task->target_text(Split::valid, e));
        const Strings input{std::istream_iterator<std::string>(read), {}},
            target{std::istream_iterator<std::string>(asked), {}};
        REQUIRE(input.size() == 17);
        CHECK(input[0].front() == 'k');
        CHECK(input[1].front() == 'v');
        CHECK(std::count(input.begin(), input.end(), "_") == 8);
        CHECK(target.size() == 3);
        CHECK(task->describe() == Strings{"train: 300 examples, 17.0 symbols and 3.0 targets each",
                                          "valid: 60 examples, 17.0 symbols and 3.0 targets each",
                                          "test: 50 examples, 17.0 symbols and 3.0 targets each", "vocabulary: 20 ids",
                                          "9 keys and 10 values, filler '_'"});
        CHECK(task->encode_prompt("k1 v1 _ k9\n", Place{}) == std::vector<int32_t>{1, 10, 0, 9});
        CHECK_THROWS_WITH_AS(task->encode_prompt("k1 k10", Place{}),
                             "line 1: a word is not in the vocabulary, which has no <unk>: 'k10'", Error);
        CHECK_THROWS_WITH_AS(task->encode_sources(Strings{"k1"}), "recall: its rows have no sources: lines 1, sources 0",
                             Error);
        CHECK_THROWS_WITH_AS(task->source_text(Split::valid, 60),
                             "recall: no such example: asked for 60 of valid, there are 60", Error);
        CHECK(task->longest(Split::test).input.symbols == 17);
        CHECK(task->longest(Split::test).input.place == "recall: test example 0");
    }
    TEST_CASE("places of queries follow the power law, without replacement") {
        RecallOptions options;
        options.examples = {.train_examples = 4000, .valid_examples = 0, .test_examples = 0};
        options.vocabulary = 64;
        options.pairs = 2;
        options.length = 4 + 2 * 7;
        for (const double power : {0.01, 0.4, 1.0}) {
            CAPTURE(power);
            options.power = power;
            const auto task = recall_task(options, {});
            const std::vector<double> p = power_law(7, power);
            std::vector<int> first(7, 0), second(7, 0);
            each_row(*task, Split::train, [&](const Batch& row, const auto&) {
                const std::vector<int64_t> places = places_of(row, 2);
                REQUIRE(places.size() == 2);
                CHECK(places[0] != places[1]);
                ++first[static_cast<std::size_t>(places[0])];
                ++second[static_cast<std::size_t>(places[1])];
            });
            for (std::size_t j = 0; j < 7; ++j) {
                double after = 0;  // P(second = j) = sum over i other than j of p_i p_j / (1 - p_i)
                for (std::size_t i = 0; i < 7; ++i) after += i == j ? 0 : p[i] * p[j] / (1 - p[i]);
                CHECK(std::abs(first[j] / 4000.0 - p[j]) < 4.5 * std::sqrt(p[j] * (1 - p[j]) / 4000));
                CHECK(std::abs(second[j] / 4000.0 - after) < 4.5 * std::sqrt(after * (1 - after) / 4000));
            }
        }
    }
    TEST_CASE("filler from the whole vocabulary changes neither pairs nor queries") {
        RecallOptions options = small();
        const auto plain = recall_task(options, {});
        options.random_filler = true;
        const auto filled = recall_task(options, {});
        std::set<int32_t> filler;
        for (int64_t i = 0; i < 60; ++i) {
            CHECK(plain->target_text(Split::valid, i) == filled->target_text(Split::valid, i));
            const auto x = plain->encode_prompt(plain->source_text(Split::valid, i), Place{}),
                       y = filled->encode_prompt(filled->source_text(Split::valid, i), Place{});
            for (std::size_t t = 0; t < x.size(); ++t)
                if (x[t] == 0)
                    filler.insert(y[t]);
                else
                    CHECK(x[t] == y[t]);
        }
        CHECK(filler.size() == 20);
    }
    TEST_CASE("no row of a split occurs in another, a seed changes them, the test has a seed of its own") {
        RecallOptions options = small();
        options.vocabulary = 6;  // two keys, three values
        options.pairs = 1;
        options.length = 8;
        const auto task = recall_task(options, {});
        CHECK(splits_have_rows_of_their_own(*task));
        options = small();
        options.examples.test_seed = 3;
        const auto one = recall_task(options, {.seed = 1}), other = recall_task(options, {.seed = 2});
        CHECK(one->source_text(Split::valid, 0) != other->source_text(Split::valid, 0));
        CHECK(one->source_text(Split::test, 0) == other->source_text(Split::test, 0));
        CHECK(recall_task(options, {.seed = 1, .load_data = false})->size(Split::train) == 0);
    }
    TEST_CASE("pairs and length of the test") {
        RecallOptions options = small();
        options.test_pairs = 5;
        options.test_length = 40;
        const auto task = recall_task(options, {});
        CHECK(task->longest(Split::valid).input.symbols == 17);
        CHECK(task->longest(Split::test).input.symbols == 40);
        CHECK(task->batches(Split::test, {.batch = 10})->at(0).targets() == 50);
    }
    TEST_CASE("all places are used where there are as many queries, and large vocabularies are quick") {
        const auto task = recall_task({.examples = {.train_examples = 5, .valid_examples = 0, .test_examples = 0},
                                       .vocabulary = 100'000,
                                       .pairs = 4,
                                       .length = 16},
                                      {});
        each_row(*task, Split::train, [](const Batch& row, const auto&) {
            for (int64_t t = 8; t < 16; ++t) CHECK((row.target.at(0, t) != id_ignored) == (t % 2 == 0));
        });
    }
    TEST_CASE("options of recall that cannot be met are refused") {
        RecallOptions options = small();
        options.pairs = 5;
        CHECK_THROWS_WITH_AS(recall_task(options, {}),
                             "recall: the pairs and queries do not fit into a row: pairs 5, length 17, needed 20", Error);
        options = small();
        options.test_length = 11;
        CHECK_THROWS_WITH_AS(recall_task(options, {}),
                             "recall: the pairs and queries of the test do not fit into a row: pairs 3, length 11, needed 12",
                             Error);
        options = small();
        options.vocabulary = 7;
        CHECK_THROWS_WITH_AS(recall_task(options, {}), "recall: there are fewer keys than pairs: keys 2, pairs 3; vocabulary 7",
                             Error);
        options = small();
        options.examples.train_examples = 10'000'000;
        options.length = 4096;
        CHECK_THROWS_AS(recall_task(options, {}), Error);
    }
}

}  // namespace recall_test
