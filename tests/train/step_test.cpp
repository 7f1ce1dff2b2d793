// One training step: shards, sums, memory, divergence.
#include "train/learn/step.h"

#include <doctest/doctest.h>

#include <chrono>
#include <cmath>
#include <cstring>
#include <thread>

#include "tests/oracles/allocation_hooks.h"
#include "tests/oracles/other_machines.h"
#include "tests/train/run_support.h"
#include "train/experiment/assemble.h"

namespace step_test {

TEST_SUITE_BEGIN("train: step");

using namespace attend;
using attend::testing::contains;
using attend::testing::message_of;
using attend::testing::SmallRun;

namespace {

// Everything one step needs, for a small experiment.
struct Bench {
    Experiment experiment;
    std::unique_ptr<Task> task;
    ModelInStore made;
    std::unique_ptr<Objective> objective;
    std::unique_ptr<Optimizer> optimizer;
    std::unique_ptr<Schedule> schedule;
    Workers workers;

    Bench(const SmallRun& runs, const std::vector<std::string>& set, int threads)
        : experiment(runs.request("none", set).experiment),
          task(task_table().build(experiment.data, TaskSetup{.seed = 3, .saved = "", .load_data = true})),
          made(make_model(experiment, *task)),
          objective(objective_table().build(experiment.objective)),
          optimizer(optimizer_table().build(experiment.optimizer, *made.store)),
          schedule(schedule_table().build(experiment.schedule, optimizer->learning_rate(), 100)),
          workers(threads) {}
    TrainingStep step(int64_t shards, double clip_norm = 0, double clip_value = 0) {
        return {{*made.model, *made.store, *objective, *optimizer, *schedule, workers},
                {.shards = shards, .clip_norm = clip_norm, .clip_value = clip_value, .seed = 3}};
    }
    std::unique_ptr<Batches> batches(int64_t batch) const {
        return task->batches(Split::train, {.batch = batch, .seed = 3, .shuffled = true});
    }
};

// Runs `round` until one of them asks the system for no memory, and gives the number of those
// before it; `most` if none does. With one thread what is there is a function of the steps alone,
// so the first round must do. With two it depends on when one gives back what the other took, and
// now and then a round asks for a block. A leak, or a cache that thrashes, asks in every round.
template <class F>
int rounds_with_requests(int most, F&& round) {
    for (int n = 0; n < most; ++n) {
        oracles::AllocationCounter counter;
        counter.start();
        round(n);
        const oracles::AllocationCounts counts = counter.stop();
        if (counts.malloc_calls == 0 && counts.mmap_calls == 0)
            return n;
    }
    return most;
}
constexpr int most_rounds = 60;

}  // namespace

TEST_CASE("rows are divided as evenly as can be and each goes to one shard") {
    for (int64_t rows : {0, 1, 2, 3, 7, 64, 100})
        for (int64_t shards : {1, 2, 3, 4, 8}) {
            int64_t next = 0, least = rows, most = 0;
            for (int64_t s = 0; s < shards; ++s) {
                const ShardRows r = shard_rows(rows, s, shards);
                CHECK(r.begin == next);
                next = r.end;
                least = std::min(least, r.end - r.begin);
                most = std::max(most, r.end - r.begin);
            }
            CHECK(next == rows);
            CHECK(most - least <= 1);
        }
    CHECK_THROWS_AS(shard_rows(4, 4, 4), Error);
}

TEST_CASE("the gradient of shards adds up to that of the whole batch, dropout included") {
    const SmallRun runs;
    std::vector<real> whole;
    double loss = 0;
    for (int64_t shards : {1, 2, 4, 9, 12}) {  // 12: more shards than rows leave some empty, the first among them
        CAPTURE(shards);
        Bench b(runs, {"model.dropout=0.3"}, 2);
        TrainingStep step = b.step(shards);
        const StepReport report = step.run(0, b.batches(9)->at(0));
        const std::vector<real> gradient(step.gradient(), step.gradient() + b.made.store->size());
        if (shards == 1) {
            whole = gradient;
            loss = report.sums.targets;
            CHECK(report.gradient_norm > 0);
        }
        CHECK(report.sums.targets == doctest::Approx(loss).epsilon(1e-5));
        double difference = 0, norm = 0;
        for (std::size_t i = 0; i < whole.size(); ++i) {
            difference += std::pow(double(gradient[i]) - double(whole[i]), 2);
            norm += std::pow(double(whole[i]), 2);
        }
        CHECK(std::sqrt(difference) <= 1e-5 * std::sqrt(norm));
        CHECK(report.gradient_norm == doctest::Approx(std::sqrt(norm)).epsilon(1e-5));
    }
}

TEST_CASE("clipping scales the update, not the reported norm") {
    const SmallRun runs;
    const auto moved = [&](double clip) {
        Bench b(runs, {"optimizer=sgd", "schedule=constant", "model.dropout=0"}, 1);
        const std::vector<real> before(b.made.store->data(), b.made.store->data() + b.made.store->size());
        const StepReport r = b.step(2, clip).run(0, b.batches(9)->at(0));
        double square = 0;
        for (std::size_t i = 0; i < before.size(); ++i)
            square += std::pow(double(b.made.store->data()[i]) - double(before[i]), 2);
        return std::pair(std::sqrt(square) / r.learning_rate, r.gradient_norm);
    };
    const auto [free_step, norm] = moved(0);
    const auto [short_step, same_norm] = moved(norm / 4);
    CHECK(norm == same_norm);
    CHECK(free_step == doctest::Approx(norm).epsilon(1e-3));
    CHECK(short_step == doctest::Approx(norm / 4).epsilon(1e-3));
}

TEST_CASE("after a step of the largest shape a step asks the system for no memory") {
    if (!oracles::AllocationCounter::available())
        return;
    const SmallRun runs;
    for (int threads : {1, 2}) {
        CAPTURE(threads);
        Bench b(runs, {"data.min_length=5", "data.max_length=5"}, threads);
        TrainingStep step = b.step(4);
        const auto batches = b.batches(9);
        const int64_t epoch = batches->per_epoch();  // every shape has been there once
        for (int64_t k = 0; k < epoch; ++k) step.run(k, batches->at(k));
        // OpenBLAS starts a thread of its own with the program, which makes its buffer whenever it
        // first runs.
        std::this_thread::sleep_for(std::chrono::milliseconds(300));
        const int rounds = rounds_with_requests(most_rounds, [&](int n) {
            for (int64_t k = (n + 1) * epoch; k < (n + 2) * epoch; ++k) step.run(k, batches->at(k));
        });
        CHECK(rounds <= (threads == 1 ? 0 : most_rounds - 1));
    }
}

TEST_CASE("after one step of the largest shape, steps of other shapes and lengths ask the system for none") {
    if (!oracles::AllocationCounter::available())
        return;
    const SmallRun runs;
    for (const char* hidden : {"6", "24"})
        for (int threads : {1, 2}) {
            CAPTURE(threads);
            CAPTURE(hidden);
            Bench b(runs, {"data.min_length=2", "data.max_length=12", std::string("model.hidden=") + hidden}, threads);
            TrainingStep step = b.step(4);
            const auto batches = b.batches(9);
            const int64_t epoch = batches->per_epoch();
            // One batch of the largest shape: nine rows as long as the longest there is, or one
            // shorter.
            Batch largest = batches->at(0);
            for (int64_t k = 1; k < 3 * epoch; ++k)
                if (const Batch at = batches->at(k); at.source.columns > largest.source.columns)
                    largest = at;
            for (Ids* ids : {&largest.source, &largest.input, &largest.target}) {
                const auto longest = std::max_element(ids->lengths.begin(), ids->lengths.end()) - ids->lengths.begin();
                Ids all(9, ids->columns);
                for (int64_t r = 0; r < all.rows; ++r) {
                    std::copy_n(ids->row(longest), ids->columns, all.values.begin() + r * ids->columns);
                    all.lengths[static_cast<std::size_t>(r)] = static_cast<int32_t>(ids->columns - r % 2);
                }
                *ids = std::move(all);
            }
            largest.examples.resize(9);
            memory::trim();
            step.run(0, largest);
            const int rounds = rounds_with_requests(most_rounds, [&](int n) {
                for (int64_t k = 0; k < 3 * epoch; ++k) step.run(3 * epoch * n + k + 1, batches->at(k));
            });
            // Why not 0 for any number of threads: docs/decisions.md.
            CHECK(rounds <= (threads == 1 ? 0 : most_rounds - 1));
        }
}

TEST_CASE("on other machines, too, a step asks the system for no memory") {
    for (const oracles::OtherMachine& machine : oracles::other_machines()) {
        CAPTURE(machine.core_type);
        const oracles::Ended ran = oracles::run_tests_as(machine, "--test-case=after * step of the largest shape*");
        CHECK_MESSAGE(ran.code == 0, ran.output);
        CHECK_MESSAGE(ran.output.find("test cases: 2 | 2 passed") != std::string::npos, ran.output);
    }
}

TEST_CASE("a value that is not finite: op, module and step are named, nothing is updated") {
    const SmallRun runs;
    Bench b(runs, {}, 2);
    TrainingStep step = b.step(3);
    const auto batches = b.batches(9);
    step.run(0, batches->at(0));
    const Parameter* parameter = b.made.store->find("head.weight");
    REQUIRE(parameter != nullptr);
    b.made.store->values(*parameter)[2] = std::nanf("");
    const std::vector<real> before(b.made.store->data(), b.made.store->data() + b.made.store->size());
    const std::string message = message_of<Diverged>([&] { step.run(1, batches->at(1)); });
    CAPTURE(message);
    CHECK(contains(message, "step 2: "));
    CHECK(contains(message, "head"));
    CHECK(std::memcmp(before.data(), b.made.store->data(), before.size() * sizeof(real)) == 0);
}

TEST_SUITE_END();

}  // namespace step_test
