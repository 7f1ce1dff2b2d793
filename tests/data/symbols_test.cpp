#include <doctest/doctest.h>

#include <set>
#include <sstream>

#include "data/tasks/symbols.h"

namespace symbols_test {

using namespace attend;

namespace {

std::vector<int> numbers(const std::string& text) {
    std::istringstream in(text);
    std::vector<int> all;
    for (int n; in >> n;) all.push_back(n);
    return all;
}

SymbolOptions small() {
    SymbolOptions options;
    options.examples = {.train_examples = 500, .valid_examples = 50, .test_examples = 60};
    options.symbols = 7;
    options.min_length = 2;
    options.max_length = 9;
    return options;
}

struct Pair {
    std::vector<int> source, target;
    std::vector<Range> gold;
};
template <class F>
void each(const Task& task, F check) {
    for (const Split split : {Split::train, Split::valid, Split::test})
        for (int64_t i = 0; i < task.size(split); ++i) {
            const Pair p{numbers(task.source_text(split, i)), numbers(task.target_text(split, i)),
                         task.gold_alignment(split, i)};
            REQUIRE(p.source.size() == p.target.size());
            REQUIRE(p.gold.size() == p.target.size());
            CHECK(p.source.size() >= 2);
            CHECK(p.source.size() <= 9);
            for (std::size_t t = 0; t < p.gold.size(); ++t) {
                CHECK(p.gold[t].end == p.gold[t].begin + 1);
                CHECK(p.source.at(static_cast<std::size_t>(p.gold[t].begin)) == p.target[t]);
                CHECK((p.source[t] >= 0 && p.source[t] < 7));
            }
            check(p);
        }
}

}  // namespace

TEST_SUITE("symbol tasks") {
    TEST_CASE("copy") {
        const auto task = copy_task(small(), {});
        each(*task, [](const Pair& p) {
            CHECK(p.target == p.source);
            for (std::size_t t = 0; t < p.gold.size(); ++t) CHECK(p.gold[t].begin == static_cast<int32_t>(t));
        });
        CHECK(task->size(Split::train) == 500);
        CHECK(task->size(Split::test) == 60);
        CHECK(task->decode_limit(9) == 10);
        CHECK(task->source_vocabulary_size() == first_free_id + 7);
    }
    TEST_CASE("reverse") {
        const auto task = reverse_task(small(), {});
        each(*task, [](const Pair& p) {
            CHECK(std::vector<int>(p.source.rbegin(), p.source.rend()) == p.target);
            for (std::size_t t = 0; t < p.gold.size(); ++t)
                CHECK(p.gold[t].begin == static_cast<int32_t>(p.gold.size() - 1 - t));
        });
    }
    TEST_CASE("sort: ascending, equal numbers keep their order, every position is used once") {
        const auto task = sort_task(small(), {});
        bool ties = false;
        each(*task, [&](const Pair& p) {
            std::set<int32_t> used;
            for (std::size_t t = 0; t < p.target.size(); ++t) {
                used.insert(p.gold[t].begin);
                if (t == 0)
                    continue;
                CHECK(p.target[t - 1] <= p.target[t]);
                if (p.target[t - 1] != p.target[t])
                    continue;
                ties = true;
                CHECK(p.gold[t - 1].begin < p.gold[t].begin);
            }
            CHECK(used.size() == p.target.size());
        });
        CHECK(ties);
    }
    TEST_CASE("no sequence of a split occurs in another one, even where the space is small") {
        SymbolOptions options = small();
        options.symbols = 3;
        options.min_length = 3;
        options.max_length = 5;
        const auto task = copy_task(options, {});
        std::set<std::string> of[3];
        for (const Split split : {Split::train, Split::valid, Split::test})
            for (int64_t i = 0; i < task->size(split); ++i) of[static_cast<int>(split)].insert(task->source_text(split, i));
        for (int a = 0; a < 3; ++a) {
            CHECK(of[a].size() > 5);
            for (int b = 0; b < a; ++b)
                for (const std::string& s : of[a]) CHECK_FALSE(of[b].contains(s));
        }
    }
    TEST_CASE("encoding, decoding, symbols") {
        const auto task = copy_task(small(), {});
        const Ids ids = task->encode_sources(std::vector<std::string>{"3 0  6", "", " 9 1"});
        CHECK(ids.rows == 3);
        CHECK(ids.columns == 3);
        CHECK(ids.length(1) == 0);
        CHECK(ids.at(2, 0) == id_unknown);
        CHECK(ids.at(2, 2) == id_pad);
        CHECK(task->decode_target(std::span(ids.row(0), 3)) == "3 0 6");
        CHECK(task->source_symbols(std::span(ids.row(2), 2)) == std::vector<std::string>{"<unk>", "1"});
        CHECK_THROWS_WITH_AS(task->encode_sources(std::vector<std::string>{"1", "2 \xFF"}),
                             "line 2: text is not valid UTF-8: byte 3 of the line, value 0xff", Error);
        CHECK_THROWS_AS(task->decode_target(std::vector<int32_t>{99}), Error);
        CHECK_THROWS_AS(task->decode_target(std::vector<int32_t>{-1}), Error);
    }
    TEST_CASE("options that cannot be met are refused") {
        SymbolOptions options = small();
        options.min_length = 10;
        CHECK_THROWS_WITH_AS(copy_task(options, {}), "copy: sizes are the wrong way round: min_length 10, max_length 9", Error);
        options = small();
        options.symbols = 1;
        options.min_length = options.max_length = 4;
        CHECK_THROWS_AS(copy_task(options, {}), Error);  // one sequence cannot be in three splits
        options = small();
        options.examples.train_examples = 10'000'000;
        options.max_length = 4096;
        CHECK_THROWS_AS(copy_task(options, {}), Error);
    }
    TEST_CASE("the table of tasks") {
        for (const char* name : {"dates", "copy", "reverse", "sort"}) CHECK(task_table().has(name));
        Selection chosen(task_table(), "sort");
        chosen.as<SymbolOptions>() = small();
        CHECK(task_table().build(chosen, {})->size(Split::valid) == 50);
    }
}

}  // namespace symbols_test
