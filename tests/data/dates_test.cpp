#include <doctest/doctest.h>

#include <algorithm>
#include <set>

#include "data/tasks/dates.h"
#include "tests/oracles/date_parser.h"

namespace dates_test {

using namespace attend;

namespace {

std::unique_ptr<Task> small(uint64_t seed, int64_t test_examples = 400) {
    GeneratedOptions options;
    options.train_examples = 3000;
    options.valid_examples = 300;
    options.test_examples = test_examples;
    TaskSetup setup;
    setup.seed = seed;
    return dates_task(options, setup);
}

std::string spelled(const std::string& source, Range r) {
    return source.substr(static_cast<std::size_t>(r.begin), static_cast<std::size_t>(r.end - r.begin));
}

// What the symbols at the range say, read without knowing the form.
int read_month(std::string word) {
    const std::vector<std::string> names = {"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"};
    for (char& c : word) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    for (std::size_t i = 0; i < names.size(); ++i)
        if (word.starts_with(names[i]))
            return static_cast<int>(i) + 1;
    return 0;
}

void check_gold(const std::string& source, const std::string& target, const std::vector<Range>& gold) {
    INFO(source, " -> ", target);
    REQUIRE(gold.size() == 10);
    for (std::size_t i = 0; i < 10; ++i) {
        const std::string part = spelled(source, gold[i]);
        if (target[i] == '-') {
            CHECK(part.empty());
        } else if (i < 4) {
            CHECK(part == std::string(1, target[i]));
        } else if (i < 7 && !std::isdigit(static_cast<unsigned char>(part[0]))) {
            CHECK(read_month(part) == std::stoi(target.substr(5, 2)));
            CHECK((gold[i].begin == 0 || !std::isalpha(static_cast<unsigned char>(source[gold[i].begin - 1u]))));
        } else {
            // A digit of its own, or the one digit of a padded number, which then has no digit
            // beside it.
            const std::size_t units = i < 7 ? 6 : 9;
            REQUIRE(part.size() == 1);
            const bool padded = i == units - 1 && target[i] == '0' && part[0] == target[units];
            CHECK((part[0] == target[i] || padded));
            if (i == units - 1 && part[0] != target[i])
                CHECK(gold[units].begin == gold[i].begin);
            if (i == units && gold[i].begin != gold[i - 1].begin)
                CHECK(gold[i].begin == gold[i - 1].begin + 1);
        }
    }
}

}  // namespace

TEST_SUITE("dates") {
    TEST_CASE("every form of a date is read back by an independent parser, and its gold alignment spells the fields") {
        CHECK(date_formats() >= 25);
        const int dates[][3] = {{1900, 1, 1}, {1996, 2, 29}, {1999, 12, 31}, {2000, 2, 29},  {2011, 11, 11}, {2022, 5, 2},
                                {2023, 3, 3}, {2099, 9, 22}, {1987, 6, 12},  {1950, 10, 13}, {2045, 7, 30},  {2004, 8, 21}};
        for (const auto& d : dates)
            for (int64_t format = 0; format < date_formats(); ++format)
                for (const LetterCase letters : {LetterCase::usual, LetterCase::lower, LetterCase::upper}) {
                    const GeneratedExample e = write_date(d[0], d[1], d[2], format, letters);
                    CHECK(e.target == fmt::format("{}-{:02}-{:02}", d[0], d[1], d[2]));
                    CHECK(oracles::parse_date(e.source) == e.target);
                    check_gold(e.source, e.target, e.gold);
                }
    }
    TEST_CASE("known texts") {
        std::set<std::string> forms;
        for (int64_t format = 0; format < date_formats(); ++format) {
            forms.insert(write_date(1998, 3, 3, format, LetterCase::usual).source);
            forms.insert(write_date(1998, 3, 3, format, LetterCase::upper).source);
        }
        for (const char* text : {"3 March 1998", "March 3, 1998", "Tuesday, 3rd of March, 1998", "03MAR1998", "1998-03-03",
                                 "Mar. 3, 1998", "19980303", "TUE, 3 MAR 1998", "the 3rd of March, 1998", "1998/3/3"})
            CHECK_MESSAGE(forms.contains(text), text);
        for (int64_t format = 0; format < date_formats(); ++format)
            CHECK(write_date(1998, 5, 3, format, LetterCase::usual).source.find("May.") == std::string::npos);
    }
    TEST_CASE("no two dates share a text, and no two forms of one date") {
        std::set<std::string> seen;
        for (int day = 1; day <= 28; ++day)
            for (int month = 1; month <= 12; ++month) {
                std::set<std::string> own;
                for (int64_t format = 0; format < date_formats(); ++format)
                    own.insert(write_date(2001, month, day, format, LetterCase::usual).source);
                CHECK(static_cast<int64_t>(own.size()) >= date_formats() - 12);  // padding shows on one-digit numbers only
                for (const std::string& text : own) CHECK(seen.insert(text).second);
            }
    }
    TEST_CASE("dates that are not there are refused") {
        for (const auto& d : std::vector<std::array<int, 3>>{
                 {1899, 12, 31}, {2100, 1, 1}, {2001, 2, 29}, {2001, 13, 1}, {2001, 0, 1}, {2001, 4, 31}, {2001, 257, 1}})
            CHECK_THROWS_WITH_AS(
                write_date(d[0], d[1], d[2], 0, LetterCase::usual),
                fmt::format("dates: no such date from 1900 to 2099: year {}, month {}, day {}", d[0], d[1], d[2]).c_str(),
                Error);
        CHECK_THROWS_AS(write_date(2001, 1, 1, date_formats(), LetterCase::usual), Error);
        CHECK_THROWS_AS(write_date(2001, 1, 1, -1, LetterCase::usual), Error);
    }
    TEST_CASE("the task: texts, ids and alignment agree, every character is known") {
        const auto task = small(1);
        for (const Split split : {Split::train, Split::valid, Split::test})
            for (int64_t i = 0; i < task->size(split); ++i) {
                const std::string source = task->source_text(split, i), target = task->target_text(split, i);
                CHECK(oracles::parse_date(source) == target);
                check_gold(source, target, task->gold_alignment(split, i));
                const Ids ids = task->encode_sources(std::vector<std::string>{source});
                CHECK(std::ranges::count(ids.values, int32_t{id_unknown}) == 0);
                CHECK(ids.length(0) == static_cast<int32_t>(source.size()));
            }
        CHECK(task->target_vocabulary_size() == first_free_id + 11);
        CHECK(task->decode_limit(40) == 11);
        CHECK_THROWS_AS(task->source_text(Split::test, 400), Error);
        CHECK_THROWS_AS(task->gold_alignment(Split::test, -1), Error);
    }
    TEST_CASE("no date of a split occurs in another one, under any two seeds") {
        std::set<std::string> of[3];
        for (const uint64_t seed : {1, 2, 3}) {
            const auto task = small(seed);
            for (const Split split : {Split::train, Split::valid, Split::test})
                for (int64_t i = 0; i < task->size(split); ++i) of[static_cast<int>(split)].insert(task->target_text(split, i));
        }
        for (int a = 0; a < 3; ++a)
            for (int b = 0; b < a; ++b)
                for (const std::string& date : of[a]) CHECK_FALSE(of[b].contains(date));
        CHECK(of[0].size() > 7000);
    }
    TEST_CASE("an example is a function of seed, split and number") {
        const auto a = small(5), b = small(5, 7), c = small(6);
        CHECK(b->size(Split::test) == 7);
        int same = 0;
        for (int64_t i = 0; i < 7; ++i) {
            CHECK(a->source_text(Split::test, i) == b->source_text(Split::test, i));
            same += a->source_text(Split::test, i) == c->source_text(Split::test, i) ? 1 : 0;
        }
        CHECK(same < 2);
        TaskSetup setup;
        setup.load_data = false;
        const auto empty = dates_task({}, setup);
        CHECK(empty->size(Split::train) == 0);
        CHECK(empty->source_vocabulary_size() == a->source_vocabulary_size());
    }
    TEST_CASE("test examples may be the same for all seeds") {
        GeneratedOptions options;
        options.train_examples = 50;
        options.valid_examples = options.test_examples = 20;
        options.test_seed = 9;
        TaskSetup first, second;
        first.seed = 5;
        second.seed = 6;
        const auto a = dates_task(options, first), b = dates_task(options, second);
        int same = 0;
        for (int64_t i = 0; i < 20; ++i) {
            CHECK(a->source_text(Split::test, i) == b->source_text(Split::test, i));
            same += a->source_text(Split::valid, i) == b->source_text(Split::valid, i) ? 1 : 0;
        }
        CHECK(same < 3);
        first.seed = 9;
        options.test_seed = 0;
        CHECK(dates_task(options, first)->source_text(Split::test, 0) == a->source_text(Split::test, 0));
    }
    TEST_CASE("all forms, months and years occur about equally often") {
        const auto task = small(9);
        int years = 0, months[13] = {};
        for (int64_t i = 0; i < task->size(Split::train); ++i) {
            const std::string target = task->target_text(Split::train, i);
            years += target < "2000" ? 1 : 0;
            ++months[std::stoi(target.substr(5, 2))];
        }
        CHECK(years > 1350);
        CHECK(years < 1650);
        for (int m = 1; m <= 12; ++m) {
            CHECK(months[m] > 170);
            CHECK(months[m] < 330);
        }
    }
}

}  // namespace dates_test
