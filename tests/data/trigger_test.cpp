#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "data/tasks/trigger.h"
#include "tests/data/rows.h"

namespace trigger_test {

using namespace attend;

namespace {

constexpr int32_t begin = 0, trigger = 1, nothing = 2, first_symbol = 3;

TriggerOptions small() {
    TriggerOptions options;
    options.examples = {.train_examples = 400, .valid_examples = 60, .test_examples = 50};
    options.symbols = 5;
    options.length = 12;
    options.triggers = 0.2;
    return options;
}

}  // namespace

TEST_SUITE("trigger") {
    TEST_CASE("at a trigger the symbol before it, elsewhere nothing new") {
        for (const char* elsewhere : {"itself", "nothing"}) {
            CAPTURE(elsewhere);
            TriggerOptions options = small();
            options.elsewhere = elsewhere;
            const auto task = trigger_task(options, {});
            CHECK(task->target_vocabulary_size() == first_symbol + 5);
            for (const Split split : {Split::train, Split::valid, Split::test})
                each_row(*task, split, [&](const Batch& row, const std::vector<Range>& gold) {
                    REQUIRE(row.input.length(0) == 12);
                    REQUIRE(gold.size() == 12);
                    CHECK(row.targets() == 12);
                    CHECK(row.input.at(0, 0) == begin);
                    int triggers = 0;
                    for (int64_t t = 0; t < 12; ++t) {
                        const int32_t id = row.input.at(0, t), target = row.target.at(0, t);
                        const Range g = gold[static_cast<std::size_t>(t)];
                        if (id != trigger) {
                            CHECK((t == 0 || (id >= first_symbol && id < first_symbol + 5)));
                            CHECK(target == (options.elsewhere == "itself" ? id : nothing));
                            CHECK(g.begin == g.end);
                            continue;
                        }
                        ++triggers;
                        REQUIRE(t >= 2);
                        CHECK(row.input.at(0, t - 1) >= first_symbol);
                        CHECK(target == row.input.at(0, t - 1));
                        CHECK((g.begin == t - 1 && g.end == t));
                    }
                    CHECK(triggers >= 1);
                });
            CHECK(splits_have_rows_of_their_own(*task));
        }
    }
    TEST_CASE("as many triggers as the share says, and one where it says none") {
        TriggerOptions options = small();
        options.symbols = 1000;
        options.length = 100;
        double triggers = 0;
        each_row(*trigger_task(options, {}), Split::train, [&](const Batch& row, const auto&) {
            triggers += static_cast<double>(std::count(row.input.values.begin(), row.input.values.end(), trigger));
        });
        // No trigger follows another: of n positions n * 0.2 / 1.2 are triggers.
        CHECK(std::abs(triggers / 400 - 98 * 0.2 / 1.2) < 0.5);
        options.triggers = 0;
        options.length = 3;
        each_row(*trigger_task(options, {}), Split::train,
                 [&](const Batch& row, const auto&) { CHECK(row.input.at(0, 2) == trigger); });
    }
    TEST_CASE("the length of the test of its own, and what people see") {
        TriggerOptions options = small();
        options.test_length = 30;
        const auto task = trigger_task(options, {});
        CHECK(task->longest(Split::test).input.symbols == 30);
        CHECK(task->longest(Split::valid).input.symbols == 12);
        CHECK(task->source_text(Split::valid, 0).starts_with("^ "));
        CHECK(task->encode_prompt("^ 0 ? 4", Place{}) == std::vector<int32_t>{begin, first_symbol, trigger, first_symbol + 4});
        options.symbols = 2;
        options.length = 3;
        options.test_length = 0;
        CHECK_THROWS_AS(trigger_task(options, {}), Error);  // two rows cannot be in three splits
    }
}

}  // namespace trigger_test
