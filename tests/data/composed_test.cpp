#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <set>
#include <sstream>

#include "data/tasks/addition.h"
#include "data/tasks/lookup.h"
#include "data/tasks/repeat.h"

namespace composed_test {

using namespace attend;

namespace {

using Strings = std::vector<std::string>;

Strings words_of(const std::string& text) {
    std::istringstream in(text);
    Strings all;
    for (std::string word; in >> word;) all.push_back(word);
    return all;
}

constexpr GeneratedOptions few{.train_examples = 400, .valid_examples = 60, .test_examples = 50};

struct Pair {
    Split split;
    std::string source, target;
    std::vector<Range> gold;
};
std::vector<Pair> pairs_of(const Task& task) {
    std::vector<Pair> all;
    for (const Split split : {Split::train, Split::valid, Split::test})
        for (int64_t i = 0; i < task.size(split); ++i)
            all.push_back({split, task.source_text(split, i), task.target_text(split, i), task.gold_alignment(split, i)});
    return all;
}

// Whether no value of one split occurs in another.
template <class F>
bool splits_share_nothing(const std::vector<Pair>& pairs, F value) {
    std::map<std::string, Split> home;
    return std::ranges::all_of(pairs, [&](const Pair& p) { return home.emplace(value(p), p.split).first->second == p.split; });
}

RepeatOptions repeats() {
    RepeatOptions options;
    options.sequence.examples = few;
    options.sequence.symbols = 6;
    options.sequence.min_length = 2;
    options.sequence.max_length = 5;
    options.max_repeats = 3;
    return options;
}
LookupOptions lookups() {
    LookupOptions options;
    options.examples = few;
    options.max_tables = 3;
    return options;
}

}  // namespace

TEST_SUITE("repeat, lookup, addition") {
    TEST_CASE("repeat: the sequence as often as the count says, each symbol from its place") {
        const auto task = repeat_task(repeats(), {});
        const std::vector<Pair> pairs = pairs_of(*task);
        CHECK(pairs.size() == 510);
        std::set<std::string> counts;
        for (const Pair& p : pairs) {
            const Strings source = words_of(p.source), target = words_of(p.target);
            REQUIRE(source[0][0] == 'x');
            counts.insert(source[0]);
            const auto repeats_of = static_cast<std::size_t>(std::stoi(source[0].substr(1)));
            const std::size_t length = source.size() - 1;
            CHECK((length >= 2 && length <= 5));
            REQUIRE(target.size() == repeats_of * length);
            REQUIRE(p.gold.size() == target.size());
            for (std::size_t t = 0; t < target.size(); ++t) {
                CHECK(target[t] == source[1 + t % length]);
                CHECK((p.gold[t].begin == static_cast<int32_t>(1 + t % length) && p.gold[t].end == p.gold[t].begin + 1));
            }
            CHECK(task->decode_limit(static_cast<int64_t>(source.size())) > static_cast<int64_t>(target.size()));
        }
        CHECK(counts == std::set<std::string>{"x1", "x2", "x3"});
        CHECK(splits_share_nothing(pairs, [](const Pair& p) { return p.source.substr(p.source.find(' ')); }));
        CHECK(task->source_vocabulary_size() == first_free_id + 9);
        CHECK(task->target_vocabulary_size() == first_free_id + 6);
    }
    TEST_CASE("lookup: the tables' values step by step") {
        const LookupOptions options = lookups();
        const auto task = lookup_task(options, {});
        const std::vector<Pair> pairs = pairs_of(*task);
        std::set<std::size_t> lengths;
        for (const Pair& p : pairs) {
            const Strings source = words_of(p.source), target = words_of(p.target);
            REQUIRE(source.size() == target.size());
            lengths.insert(source.size());
            CHECK(target[0] == source[0]);
            CHECK(source[0].size() == 3);
            for (std::size_t k = 1; k < source.size(); ++k) {
                const auto table = lookup_table(options, std::stoi(source[k].substr(1)));
                CHECK(table.at(std::stoul(target[k - 1], nullptr, 2)) == std::stoi(target[k], nullptr, 2));
                CHECK((p.gold.at(k).begin == static_cast<int32_t>(k) && p.gold[k].end == p.gold[k].begin + 1));
            }
            if (source.size() == 2)
                CHECK(p.split == Split::train);
        }
        CHECK(lengths == std::set<std::size_t>{2, 3, 4});
        CHECK(splits_share_nothing(pairs, [](const Pair& p) { return p.source; }));
        CHECK_FALSE(splits_share_nothing(pairs, [](const Pair& p) { return p.source.substr(4); }));
        CHECK(task->metrics() == Strings{"accuracy", "exact_match", "alignment_accuracy", "attention_entropy"});
        CHECK(task->source_vocabulary_size() == first_free_id + 16);
    }
    TEST_CASE("lookup: the result alone, whole compositions held out, the same tables for every seed of a run") {
        LookupOptions options = lookups();
        options.target = "result";
        options.held_out = "compositions";
        const auto task = lookup_task(options, {});
        const std::vector<Pair> pairs = pairs_of(*task);
        for (const Pair& p : pairs) {
            CHECK(p.target.size() == 3);
            CHECK(p.gold.empty());
            int32_t value = std::stoi(p.source, nullptr, 2);
            for (const std::string& word : words_of(p.source.substr(4)))
                value = lookup_table(options, std::stoi(word.substr(1))).at(static_cast<std::size_t>(value));
            CHECK(value == std::stoi(p.target, nullptr, 2));
        }
        CHECK(splits_share_nothing(pairs, [](const Pair& p) { return p.source.substr(4); }));
        CHECK(task->metrics() == Strings{"accuracy", "exact_match", "attention_entropy"});
        TaskSetup setup;
        setup.seed = 5;
        std::map<std::string, std::string> answers;
        for (const Pair& p : pairs) answers.emplace(p.source, p.target);
        int shared = 0;
        for (const Pair& p : pairs_of(*lookup_task(options, setup)))
            if (const auto known = answers.find(p.source); known != answers.end()) {
                CHECK(known->second == p.target);
                ++shared;
            }
        CHECK(shared > 10);
        options.table_seed = 2;
        CHECK(lookup_table(options, 0) != lookup_table(lookups(), 0));
        CHECK(lookup_table(options, 0) != lookup_table(options, 1));
        std::vector<int32_t> sorted = lookup_table(options, 0);
        std::ranges::sort(sorted);
        CHECK(sorted == std::vector<int32_t>{0, 1, 2, 3, 4, 5, 6, 7});
    }
    TEST_CASE("addition: sums, in both orders of digits") {
        AdditionOptions options;
        options.examples = few;
        for (const char* order : {"usual", "reversed"}) {
            options.order = order;
            const auto task = addition_task(options, {});
            std::set<std::size_t> digits;
            const std::vector<Pair> pairs = pairs_of(*task);
            for (const Pair& p : pairs) {
                const std::size_t plus = p.source.find('+');
                const std::string a = p.source.substr(0, plus), b = p.source.substr(plus + 1);
                for (const std::string& n : {a, b}) {
                    CHECK((n.size() == 1 || n[0] != '0'));
                    digits.insert(n.size());
                }
                std::string sum = p.target;
                if (options.order == "reversed")
                    std::ranges::reverse(sum);
                CHECK(std::stoi(sum) == std::stoi(a) + std::stoi(b));
                CHECK((sum.size() == 1 || sum[0] != '0'));
                CHECK(p.gold.empty());
                CHECK(task->decode_limit(static_cast<int64_t>(p.source.size())) > static_cast<int64_t>(p.target.size()));
            }
            CHECK(digits == std::set<std::size_t>{1, 2, 3});
            CHECK(splits_share_nothing(pairs, [](const Pair& p) {
                const std::size_t plus = p.source.find('+');
                const std::string a = p.source.substr(0, plus), b = p.source.substr(plus + 1);
                return std::min(a, b) + "+" + std::max(a, b);
            }));
        }
        options.min_digits = options.max_digits = 18;  // the largest sums still fit
        for (const Pair& p : pairs_of(*addition_task(options, {}))) {
            const std::string sum(p.target.rbegin(), p.target.rend());
            CHECK((sum.size() == 18 || (sum.size() == 19 && sum[0] == '1')));
        }
    }
    TEST_CASE("options of generated tasks that cannot be met are refused") {
        RepeatOptions repeat = repeats();
        repeat.sequence.min_length = 6;
        CHECK_THROWS_WITH_AS(repeat_task(repeat, {}), "repeat: sizes are the wrong way round: min_length 6, max_length 5",
                             Error);
        repeat = repeats();
        repeat.sequence.max_length = 4096;
        repeat.max_repeats = 1000;
        CHECK_THROWS_WITH_AS(repeat_task(repeat, {}),
                             "repeat: too much data: examples times longest target 2088960000, allowed 1073741824", Error);
        LookupOptions lookup = lookups();
        lookup.max_tables = 1;  // single tables are for training
        CHECK_THROWS_AS(lookup_task(lookup, {}), Error);
        lookup.examples.valid_examples = lookup.examples.test_examples = 0;
        CHECK(lookup_task(lookup, {})->size(Split::train) == 400);
        lookup.examples.train_examples = 10'000'000;
        lookup.max_tables = 107;
        CHECK_THROWS_WITH_AS(lookup_task(lookup, {}),
                             "lookup: too much data: examples times longest target 1080000000, allowed 1073741824", Error);
        AdditionOptions addition;
        addition.min_digits = 4;
        CHECK_THROWS_WITH_AS(addition_task(addition, {}), "addition: sizes are the wrong way round: min_digits 4, max_digits 3",
                             Error);
    }
    TEST_CASE("the task table has them, their sources can be encoded without data") {
        TaskSetup setup;
        setup.load_data = false;
        for (const auto& [name, line] : std::vector<std::pair<std::string, std::string>>{
                 {"repeat", "x2 3 4"}, {"lookup", "011 t3 t0"}, {"addition", "12+7"}}) {
            CAPTURE(name);
            const auto task = task_table().build(Selection(task_table(), name), setup);
            const Ids ids = task->encode_sources(Strings{line});
            CHECK(ids.columns >= 3);
            CHECK(std::ranges::count(ids.values, int32_t{id_unknown}) == 0);
            CHECK(task->size(Split::train) == 0);
        }
    }
}

}  // namespace composed_test
