// Lengths of the test of their own: beyond what training shows.
#include <doctest/doctest.h>

#include <algorithm>
#include <set>

#include "data/tasks/addition.h"
#include "data/tasks/lookup.h"
#include "data/tasks/repeat.h"

namespace lengths_test {

using namespace attend;

namespace {

constexpr GeneratedOptions few{.train_examples = 300, .valid_examples = 100, .test_examples = 200};

// The lengths that occur in a split, by what `length` says of a source.
template <class F>
std::set<int64_t> lengths_in(const Task& task, Split split, F length) {
    std::set<int64_t> all;
    for (int64_t i = 0; i < task.size(split); ++i) all.insert(length(task.source_text(split, i)));
    return all;
}
int64_t words(const std::string& text) { return std::count(text.begin(), text.end(), ' ') + 1; }
int64_t digits(const std::string& sum) { return static_cast<int64_t>(std::max(sum.find('+'), sum.size() - sum.find('+') - 1)); }

std::set<int64_t> all_of(int64_t least, int64_t most) {
    std::set<int64_t> all;
    for (int64_t n = least; n <= most; ++n) all.insert(n);
    return all;
}

SymbolOptions longer() {
    SymbolOptions options;
    options.examples = few;
    options.symbols = 5;
    options.min_length = 3;
    options.max_length = 6;
    options.test_min_length = 8;
    options.test_max_length = 11;
    return options;
}

}  // namespace

TEST_SUITE("lengths of the test") {
    TEST_CASE("sequences of the test are longer, those of validation are not") {
        for (const auto task : {copy_task, reverse_task, sort_task}) {
            const auto made = task(longer(), {});
            CHECK(lengths_in(*made, Split::train, words) == all_of(3, 6));
            CHECK(lengths_in(*made, Split::valid, words) == all_of(3, 6));
            CHECK(lengths_in(*made, Split::test, words) == all_of(8, 11));
            CHECK(made->longest(Split::train).source.symbols == 6);
            CHECK(made->longest(Split::valid).input.symbols == 7);
            CHECK(made->longest(Split::test).source.symbols == 11);
            CHECK(made->longest(Split::test).input.symbols == 12);
        }
        const auto repeated = repeat_task({.sequence = longer(), .max_repeats = 2}, {});
        CHECK(lengths_in(*repeated, Split::valid, words) == all_of(4, 7));
        CHECK(lengths_in(*repeated, Split::test, words) == all_of(9, 12));
        CHECK(repeated->longest(Split::test).input.symbols == 2 * 11 + 1);
    }
    TEST_CASE("one bound of the test's lengths alone, and lengths that overlap: no test sequence is in training") {
        SymbolOptions options = longer();
        options.symbols = 3;
        options.test_min_length = 0;
        options.test_max_length = 7;
        const auto task = copy_task(options, {});
        CHECK(lengths_in(*task, Split::test, words) == all_of(3, 7));
        std::set<std::string> trained;
        for (int64_t i = 0; i < task->size(Split::train); ++i) trained.insert(task->source_text(Split::train, i));
        for (int64_t i = 0; i < task->size(Split::test); ++i) CHECK_FALSE(trained.contains(task->source_text(Split::test, i)));
    }
    TEST_CASE("tables and digits of the test") {
        LookupOptions lookup;
        lookup.examples = few;
        lookup.max_tables = 2;
        lookup.test_min_tables = 3;
        lookup.test_max_tables = 4;
        const auto tables = lookup_task(lookup, {});
        CHECK(lengths_in(*tables, Split::train, words) == all_of(2, 3));
        CHECK(lengths_in(*tables, Split::valid, words) == all_of(3, 3));
        CHECK(lengths_in(*tables, Split::test, words) == all_of(4, 5));
        lookup.test_min_tables = 0;
        CHECK(lengths_in(*lookup_task(lookup, {}), Split::test, words) == all_of(3, 5));
        AdditionOptions addition;
        addition.examples = few;
        addition.min_digits = addition.max_digits = 3;
        addition.test_min_digits = addition.test_max_digits = 18;
        const auto sums = addition_task(addition, {});
        CHECK(lengths_in(*sums, Split::valid, digits) == all_of(3, 3));
        CHECK(lengths_in(*sums, Split::test, digits) == all_of(18, 18));
    }
    TEST_CASE("lengths of the test that cannot be met are refused") {
        SymbolOptions options = longer();
        options.test_max_length = 0;
        CHECK_THROWS_WITH_AS(copy_task(options, {}),
                             "copy: sizes of the test are the wrong way round: test_min_length 8, test_max_length 6; auto is "
                             "that of training",
                             Error);
        options.test_max_length = 4096;
        options.examples.test_examples = 300'000;
        CHECK_THROWS_WITH_AS(copy_task(options, {}),
                             "copy: too much data: examples times longest target 1228802400, allowed 1073741824", Error);
        LookupOptions lookup;
        lookup.examples = few;
        lookup.test_min_tables = 3;
        CHECK_THROWS_AS(lookup_task(lookup, {}), Error);
        AdditionOptions addition;
        addition.test_min_digits = 4;
        CHECK_THROWS_AS(addition_task(addition, {}), Error);
    }
}

}  // namespace lengths_test
