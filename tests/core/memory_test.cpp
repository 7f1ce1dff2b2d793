#include "core/base/memory.h"

#include <doctest/doctest.h>

#include <sys/mman.h>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <mutex>
#include <numeric>
#include <thread>
#include <vector>

#include "core/base/error.h"
#include "core/base/random.h"
#include "tests/oracles/allocation_hooks.h"

namespace memory_test {

using namespace attend;
using attend::oracles::AllocationCounter;
using attend::oracles::AllocationCounts;

namespace {
struct Piece {
    unsigned char* data;
    std::size_t bytes;
    unsigned char mark;
};

Piece take(std::size_t bytes, unsigned char mark) {
    auto* data = static_cast<unsigned char*>(memory::allocate(bytes));
    std::memset(data, mark, bytes);
    return {data, bytes, mark};
}

// Whether nobody else wrote into it.
bool give(const Piece& p) {
    bool whole = true;
    for (std::size_t i = 0; i < p.bytes; ++i) whole = whole && p.data[i] == p.mark;
    memory::release(p.data, p.bytes);
    return whole;
}
}  // namespace

TEST_SUITE("memory") {
    TEST_CASE("blocks are aligned, writable to their last byte, apart from each other, and counted") {
        const memory::Statistics before = memory::statistics();
        std::vector<Piece> pieces;
        std::size_t total = 0;
        for (std::size_t bytes = 0; bytes < 700; ++bytes) pieces.push_back(take(bytes, static_cast<unsigned char>(bytes)));
        for (std::size_t power = 10; power < 24; ++power)
            for (const std::size_t shift : {-1, 0, 1}) pieces.push_back(take((std::size_t{1} << power) + shift, 7));
        for (const Piece& p : pieces) {
            CHECK(reinterpret_cast<std::uintptr_t>(p.data) % memory::alignment == 0);
            total += p.bytes;
        }
        CHECK(memory::statistics().in_use - before.in_use == total);
        CHECK(memory::statistics().peak_in_use >= before.in_use + total);
        for (const Piece& p : pieces) CHECK(give(p));
        CHECK(memory::statistics().in_use == before.in_use);
    }

    TEST_CASE("null may be given back") { memory::release(nullptr, 10); }

    TEST_CASE("the peak is measured from reset_peak on") {
        const std::size_t before = memory::statistics().in_use;
        memory::release(memory::allocate(5 << 20), 5 << 20);
        memory::reset_peak();
        CHECK(memory::statistics().peak_in_use == before);
        void* p = memory::allocate(3 << 20);
        memory::release(p, 3 << 20);
        const std::size_t peak = memory::statistics().peak_in_use;
        CHECK(peak >= before + (3 << 20));
        CHECK(peak < before + (4 << 20));
    }

    TEST_CASE("a request the system cannot meet names both numbers") {
        for (const std::size_t bytes :
             {std::size_t{1} << 45, std::size_t{1} << 46, (std::size_t{1} << 46) + 1, SIZE_MAX - 63, SIZE_MAX}) {
            std::string text;
            try {
                memory::allocate(bytes);
            } catch (const MachineError& e) {
                text = e.what();
            }
            CHECK(text.find("memory: the system has no more: asked " + std::to_string(bytes) + " bytes, in use ") == 0);
        }
        CHECK(give(take(100, 1)));
    }

#if !defined(NDEBUG)
    TEST_CASE("debug builds hand out NaN and leave NaN behind") {
        Array<real> a(100, real{1});
        const real* old = a.data();
        a = Array<real>();
#if !defined(ATTEND_SANITIZED)
        CHECK(std::isnan(old[99]));
#endif
        auto* fresh = static_cast<real*>(memory::allocate(100 * sizeof(real)));
        static_cast<void>(old);
        for (int i = 0; i < 100; ++i) CHECK(std::isnan(fresh[i]));
        memory::release(fresh, 100 * sizeof(real));
    }
#endif

    TEST_CASE("threads give back what others took, and the books balance") {
        const std::size_t before = memory::statistics().in_use;
        std::mutex mutex;
        std::vector<Piece> exchange;
        std::atomic<int> broken{0};
        const auto work = [&](int thread) {
            Stream random(static_cast<uint64_t>(thread), "memory");
            for (int i = 0; i < 3000; ++i) {
                const std::size_t bytes = random.below(100) == 0 ? random.below(1 << 20) : random.below(3000);
                Piece p = take(bytes, static_cast<unsigned char>(random.next()));
                {
                    const std::lock_guard lock(mutex);
                    exchange.push_back(p);
                    if (exchange.size() < 100)
                        continue;
                    std::swap(exchange[random.below(100)], exchange.back());
                    p = exchange.back();
                    exchange.pop_back();
                }
                if (!give(p))
                    ++broken;
            }
        };
        std::vector<std::thread> threads;
        for (int t = 0; t < 4; ++t) threads.emplace_back(work, t);
        for (std::thread& t : threads) t.join();
        for (const Piece& p : exchange)
            if (!give(p))
                ++broken;
        CHECK(broken == 0);
        CHECK(memory::statistics().in_use == before);
    }

#if !defined(ATTEND_SANITIZED)  // sanitizer builds keep nothing
    TEST_CASE("a request loses at most a quarter of it, or 64 bytes") {
        memory::trim();
        std::vector<std::size_t> sizes(1100);
        std::iota(sizes.begin(), sizes.end(), std::size_t{1});
        for (std::size_t power = 11; power < 21; ++power)
            for (const std::size_t quarter : {4, 5, 6, 7})
                for (const std::size_t past : {0, 1}) sizes.push_back((quarter << (power - 2)) + past);
        for (const std::size_t bytes : sizes) {
            void* p = memory::allocate(bytes);
            const std::size_t before = memory::statistics().cached;
            memory::release(p, bytes);
            const std::size_t kept = memory::statistics().cached - before;
            CAPTURE(bytes);
            CHECK(kept >= bytes);
            CHECK((kept <= bytes + bytes / 4 || kept < bytes + 64));
            memory::trim();
        }
    }

    TEST_CASE("trim returns everything") {
        memory::release(memory::allocate(12345), 12345);
        CHECK(memory::statistics().cached > 0);
        memory::trim();
        CHECK(memory::statistics().cached == 0);
    }

    TEST_CASE("a thread's end returns all it holds") {
        memory::trim();
        std::thread([] { memory::release(memory::allocate(777777), 777777); }).join();
        const memory::Statistics s = memory::statistics();
        CHECK(s.cached >= 777777);
        void* p = memory::allocate(777777);  // another thread finds it
        CHECK(memory::statistics().system_calls == s.system_calls);
        memory::release(p, 777777);
    }

    TEST_CASE("what a thread keeps is bounded, and the rest is there for others") {
        memory::trim();
        constexpr std::size_t piece = 1 << 20, pieces = 100;
        std::vector<void*> all;
        for (std::size_t i = 0; i < pieces; ++i) all.push_back(memory::allocate(piece));
        for (void* p : all) memory::release(p, piece);
        const std::size_t calls = memory::statistics().system_calls;
        std::thread([&] {
            std::vector<void*> mine;
            for (std::size_t i = 0; i < pieces - 64; ++i) mine.push_back(memory::allocate(piece));
            for (void* p : mine) memory::release(p, piece);
        }).join();
        CHECK(memory::statistics().system_calls <= calls + 1);  // the thread's own cache
        memory::trim();
    }

    TEST_CASE("many small blocks spill and come back") {
        memory::trim();
        std::vector<void*> all;
        for (int round = 0; round < 2; ++round) {
            const std::size_t calls = memory::statistics().system_calls;
            for (int i = 0; i < 70000; ++i) all.push_back(memory::allocate(64));
            for (void* p : all) memory::release(p, 64);
            all.clear();
            const std::size_t made = memory::statistics().system_calls - calls;  // with the spare ones
            CHECK((round == 0 ? made >= 70000 && made <= 2 * 70000 : made == 0));
        }
        memory::trim();
    }

    TEST_CASE("blocks that others consume come back to the thread that makes them, and to no other") {
        memory::trim();
        std::vector<void*> batch(20, nullptr);
        const auto take_all = [&] {
            for (void*& p : batch) p = memory::allocate(10000);
        };
        const auto give_all = [&] {
            for (void* p : batch) memory::release(p, 10000);
        };
        take_all();
        std::thread(give_all).join();
        std::thread([&] {
            const std::size_t calls = memory::statistics().system_calls;
            take_all();
            CHECK(memory::statistics().system_calls >= calls + batch.size());
            give_all();
        }).join();
        std::thread(take_all).join();  // what an ended thread had is for all
        std::vector<void*> other = batch;
        const std::size_t calls = memory::statistics().system_calls;
        take_all();
        CHECK(memory::statistics().system_calls == calls);
        give_all();
        batch = other;
        give_all();
    }

    TEST_CASE("after a large batch a smaller one asks the system for nothing") {
        memory::trim();
        const auto step = [](std::size_t length) {
            std::vector<Piece> pieces;
            for (std::size_t i = 1; i <= 200; ++i) pieces.push_back(take(i % 2 == 0 ? length * 16 * i : 300 + length * i, 1));
            for (const Piece& p : pieces) give(p);
        };
        step(50);
        const memory::Statistics s = memory::statistics();
        for (const std::size_t length : {50, 41, 5, 13, 29, 50}) {
            CAPTURE(length);
            step(length);
            CHECK(memory::statistics().system_calls == s.system_calls);
        }
        CHECK(memory::statistics().cached == s.cached);
    }

    TEST_CASE("a growing first step does not feed large blocks to small requests") {
        memory::trim();
        const auto before = memory::statistics();
        std::vector<Piece> kept;
        for (int i = 0; i < 50; ++i) {
            memory::release(memory::allocate(8 << 20), 8 << 20);  // a temporary
            kept.push_back(take(700 << 10, 1));
        }
        for (const Piece& p : kept) give(p);
        CHECK(memory::statistics().cached - before.cached < (60 << 20));  // spare blocks included
        memory::trim();
    }
#endif

    TEST_CASE("the hooks see every way to ask for memory") {
        if (!AllocationCounter::available())
            return;
        AllocationCounter counter;
        counter.start();
        CHECK(counter.stop().malloc_calls == 0);
        // Volatile keeps the compiler from removing the pairs.
        static void* volatile p;
        counter.start();
        p = std::malloc(10);
        std::free(p);
        p = std::calloc(3, 10);
        p = std::realloc(p, 100);
        std::free(p);
        p = std::aligned_alloc(64, 128);
        std::free(p);
        void* q = nullptr;
        const int failed = posix_memalign(&q, 64, 100);
        std::free(q);
        p = new int[10];
        delete[] static_cast<int*>(p);
        std::thread([] { p = std::malloc(1); }).join();
        const AllocationCounts counts = counter.stop();
        std::free(p);
        CHECK(failed == 0);
        CHECK(counts.malloc_calls >= 7);
        CHECK(counts.first_bytes == 10);
        CHECK(counts.malloc_bytes >= 10 + 30 + 100 + 128 + 100 + 40 + 1);
        counter.start();
        void* page = mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        const AllocationCounts mapped = counter.stop();
        CHECK(mapped.mmap_calls == 1);
        CHECK(mapped.malloc_calls == 0);
        CHECK(munmap(page, 4096) == 0);
    }

    TEST_CASE("once warm, a step asks the system for nothing") {
        if (!AllocationCounter::available())
            return;
        memory::trim();
        const auto step = [] {
            Array<Array<real>> kept;
            for (std::size_t i = 0; i < 500; ++i) kept.emplace_back(i * i / 2 + 1);
            Array<int64_t> grown;
            for (int i = 0; i < 10000; ++i) grown.push_back(i);
        };
        step();
        const std::size_t cached = memory::statistics().cached;
        AllocationCounter counter;
        counter.start();
        for (int i = 0; i < 3; ++i) step();
        const AllocationCounts counts = counter.stop();
        CHECK(counts.malloc_calls == 0);
        CHECK(counts.mmap_calls == 0);
        CHECK(memory::statistics().cached == cached);
    }

    TEST_CASE("thread-locals destroyed after the cache may still give memory back") {
        struct Late {
            std::vector<void*> blocks;
            ~Late() {
                for (void* p : blocks) memory::release(p, 1000);
                memory::release(memory::allocate(2000), 2000);
            }
        };
        const std::size_t before = memory::statistics().in_use;
        std::vector<std::size_t> calls;
        for (int round = 0; round < 3; ++round) {
            std::thread([] {
                thread_local Late late;  // made before the thread's cache, so destroyed after it
                late.blocks.reserve(10);
                for (int i = 0; i < 10; ++i) late.blocks.push_back(memory::allocate(1000));
            }).join();
            CHECK(memory::statistics().in_use == before);
            calls.push_back(memory::statistics().system_calls);
        }
#if !defined(ATTEND_SANITIZED)
        CHECK(calls.front() == calls.back());  // nothing was lost with the threads
#endif
    }
}

namespace {
// Takes memory before main and gives it back after the thread-locals of main are gone.
struct Everlasting {
    Array<real> values = Array<real>(1000, real{1});
};
Everlasting everlasting;
}  // namespace

}  // namespace memory_test
