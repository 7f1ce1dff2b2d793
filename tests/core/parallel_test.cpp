#include "core/base/parallel.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <limits>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "core/base/error.h"
#include "tests/oracles/allocation_hooks.h"

namespace parallel_test {

using namespace attend;
using attend::oracles::AllocationCounter;

namespace {
// Smallest positive normal number over two, computed where the compiler cannot: zero if denormals
// are flushed.
real half_of_smallest() {
    volatile real x = std::numeric_limits<real>::min();
    volatile real half = x / 2;
    return half;
}
real twice_a_denormal() {
    volatile real x = std::numeric_limits<real>::denorm_min();
    volatile real twice = x * static_cast<real>(0x1p30);
    return twice;
}
}  // namespace

TEST_SUITE("parallel") {
    TEST_CASE("task i runs once, on worker i mod threads, in ascending order") {
        for (const int threads : {1, 2, 3, 5}) {
            Workers workers(threads);
            CHECK(workers.threads() == threads);
            for (const int tasks : {0, 1, 2, 3, 7, 20}) {
                CAPTURE(threads);
                CAPTURE(tasks);
                std::mutex mutex;
                std::vector<std::thread::id> ran_on(static_cast<std::size_t>(tasks));
                std::vector<std::vector<int>> order(static_cast<std::size_t>(threads));
                workers.run(tasks, [&](int i) {
                    const std::lock_guard lock(mutex);
                    ran_on[static_cast<std::size_t>(i)] = std::this_thread::get_id();
                    order[static_cast<std::size_t>(i % threads)].push_back(i);
                });
                std::set<std::thread::id> distinct;
                for (int w = 0; w < threads; ++w) {
                    const auto& mine = order[static_cast<std::size_t>(w)];
                    for (std::size_t k = 0; k < mine.size(); ++k) {
                        CHECK(mine[k] == w + static_cast<int>(k) * threads);
                        CHECK(ran_on[static_cast<std::size_t>(mine[k])] == ran_on[static_cast<std::size_t>(w)]);
                    }
                    if (!mine.empty())
                        distinct.insert(ran_on[static_cast<std::size_t>(w)]);
                }
                CHECK(static_cast<int>(distinct.size()) == std::min(threads, tasks));
                if (tasks > 0)
                    CHECK(ran_on[0] == std::this_thread::get_id());
            }
        }
    }

    TEST_CASE("tasks of different workers run at the same time") {
        Workers workers(2);
        std::atomic<int> arrived{0};
        std::atomic<bool> met{true};
        workers.run(2, [&](int) {
            ++arrived;
            const auto start = std::chrono::steady_clock::now();
            while (arrived < 2) {
                std::this_thread::yield();
                if (std::chrono::steady_clock::now() - start > std::chrono::seconds(20)) {
                    met = false;
                    return;
                }
            }
        });
        CHECK(met);
    }

    TEST_CASE("many short rounds, with pauses that put the workers to sleep") {
        Workers workers(4);
        std::vector<int64_t> sums(7, 0);
        for (int round = 0; round < 1000; ++round) {
            workers.run(7, [&](int i) { sums[static_cast<std::size_t>(i)] += round; });
            if (round % 250 == 0)
                std::this_thread::sleep_for(std::chrono::milliseconds(5));
        }
        for (const int64_t s : sums) CHECK(s == 499500);
    }

    TEST_CASE("the exception of the lowest task comes out, after the rest have run") {
        for (const int threads : {1, 2, 3}) {
            Workers workers(threads);
            for (int round = 0; round < 20; ++round) {
                std::atomic<int> ran{0};
                std::string text;
                try {
                    workers.run(10, [&](int i) {
                        ++ran;
                        if (i == 3)
                            std::this_thread::sleep_for(std::chrono::microseconds(200));
                        if (i >= 3)
                            fail("task {}", i);
                    });
                } catch (const Error& e) {
                    text = e.what();
                }
                CHECK(ran == 10);
                CHECK(text == "task 3");
            }
            int ran = 0;
            workers.run(1, [&](int) { ++ran; });  // nothing of it is left
            CHECK(ran == 1);
        }
    }

    TEST_CASE("a run within a run is refused, and the pool still works") {
        for (const int threads : {1, 2}) {
            Workers workers(threads);
            for (const int offender : {0, 1}) {
                CAPTURE(threads);
                CAPTURE(offender);
                CHECK_THROWS_WITH_AS(
                    workers.run(2,
                                [&](int i) {
                                    if (i == offender)
                                        workers.run(3, [](int) {});
                                }),
                    ("workers: run() called while a run is on: threads " + std::to_string(threads) + ", tasks 3").c_str(),
                    MachineError);
            }
            std::atomic<int> ran{0};
            workers.run(5, [&](int) { ++ran; });
            CHECK(ran == 5);
        }
    }

    TEST_CASE("numbers out of range are refused") {
        CHECK_THROWS_WITH_AS(Workers(0), "workers: number of threads out of range: threads 0, limits 1 to 1024", Error);
        CHECK_THROWS_WITH_AS(Workers(1025), "workers: number of threads out of range: threads 1025, limits 1 to 1024", Error);
        Workers workers(1);
        CHECK_THROWS_WITH_AS(workers.run(-1, [](int) {}), "workers: negative number of tasks: tasks -1, least 0", Error);
        const auto nothing = [](int64_t, int64_t, int64_t) {};
        CHECK_THROWS_WITH_AS(workers.blocks(10, 0, nothing), "workers: no such cut: size 10, block 0", Error);
        CHECK_THROWS_WITH_AS(workers.blocks(-1, 4, nothing), "workers: no such cut: size -1, block 4", Error);
        CHECK_THROWS_WITH_AS(workers.blocks(int64_t{1} << 40, 1, nothing),
                             "workers: too many blocks: blocks 1099511627776, limit 2147483647", Error);
    }

    TEST_CASE("blocks cover the range and do not depend on the threads") {
        for (const int threads : {1, 2, 3}) {
            Workers workers(threads);
            for (const int64_t size : {0, 1, 9, 10, 11, 95}) {
                std::vector<int64_t> owner(static_cast<std::size_t>(size), -1);
                workers.blocks(size, 10, [&](int64_t block, int64_t begin, int64_t end) {
                    for (int64_t i = begin; i < end; ++i) owner[static_cast<std::size_t>(i)] = block;
                });
                for (int64_t i = 0; i < size; ++i) CHECK(owner[static_cast<std::size_t>(i)] == i / 10);
            }
        }
        Workers workers(1);
        int64_t last = 0;
        workers.blocks(std::numeric_limits<int64_t>::max(), std::numeric_limits<int64_t>::max() / 2,
                       [&](int64_t, int64_t begin, int64_t end) { last = std::max(last, std::max(begin, end)); });
        CHECK(last == std::numeric_limits<int64_t>::max());
    }

    TEST_CASE("denormals are flushed in every task, and the caller keeps its own mode") {
        Workers workers(3);
        CHECK(half_of_smallest() > 0);
        std::array<real, 6> results{}, sources{};
        workers.run(6, [&](int i) {
            results[static_cast<std::size_t>(i)] = half_of_smallest();
            sources[static_cast<std::size_t>(i)] = twice_a_denormal();
        });
        for (const real r : results) CHECK(r == 0);
        for (const real r : sources) CHECK(r == 0);
        CHECK(half_of_smallest() > 0);
        std::thread([] {
            flush_denormals();
            CHECK(half_of_smallest() == 0);
        }).join();
    }

    TEST_CASE("a run asks the system for nothing") {
        if (!AllocationCounter::available())
            return;
        Workers workers(3);
        std::atomic<int> ran{0};
        AllocationCounter counter;
        counter.start();
        for (int i = 0; i < 50; ++i) {
            workers.run(5, [&](int) { ++ran; });
            workers.blocks(100, 7, [&](int64_t, int64_t, int64_t) { ++ran; });
        }
        const auto counts = counter.stop();
        CHECK(counts.malloc_calls == 0);
        CHECK(counts.mmap_calls == 0);
        CHECK(ran == 50 * (5 + 15));
    }
}

}  // namespace parallel_test
