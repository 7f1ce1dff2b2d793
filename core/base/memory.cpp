#include "core/base/memory.h"

#include <algorithm>
#include <atomic>
#include <bit>
#include <cassert>
#include <cstdlib>
#include <cstring>
#include <mutex>

#include "core/base/error.h"

namespace attend::memory {

namespace {
// Bytes handed out, over all threads. A thread adds its own difference when that reaches
// `accounting_step`, so the peak is right to within that much a thread and the counter is seldom
// contended.
constexpr int64_t accounting_step = 4 * 1024;
constinit std::atomic<int64_t> global_in_use{0}, peak_in_use{0};
constinit std::atomic<std::size_t> system_calls{0};

// Whether what is kept has already seen a step of the largest shape: use rose to its highest, fell,
// and rises again. Until then every request gets a block of its own class, so that the same step
// again finds all of its blocks.
constinit std::atomic<int64_t> highest_in_use{0}, lowest_since{0};
constinit std::atomic<bool> settled{false};

void raise_to(std::atomic<int64_t>& peak, int64_t value) {
    int64_t seen = peak.load(std::memory_order_relaxed);
    while (seen < value && !peak.compare_exchange_weak(seen, value, std::memory_order_relaxed)) {
    }
}

void start_growing(int64_t now) {
    highest_in_use.store(now, std::memory_order_relaxed);
    lowest_since.store(now, std::memory_order_relaxed);
    settled.store(false, std::memory_order_relaxed);
}

void account_globally(int64_t difference) {
    const int64_t now = global_in_use.fetch_add(difference, std::memory_order_relaxed) + difference;
    raise_to(peak_in_use, now);
    // Hints: threads that meet here may lose each other's update, and the next one sets it right.
    const int64_t highest = highest_in_use.load(std::memory_order_relaxed),
                  lowest = lowest_since.load(std::memory_order_relaxed);
    if (now > highest && settled.load(std::memory_order_relaxed) && now <= highest + highest / 8)
        highest_in_use.store(now, std::memory_order_relaxed);  // threads meet differently from step to step: no new shape
    else if (now > highest)
        start_growing(now);
    else if (now < lowest)
        lowest_since.store(now, std::memory_order_relaxed);
    else if (lowest <= highest - highest / 8 && now - lowest >= (highest - lowest) / 4)
        settled.store(true, std::memory_order_relaxed);
}

// All bits set is a NaN in both precisions, and -1 as an integer: reading memory that was never
// written shows.
void spoil([[maybe_unused]] void* block, [[maybe_unused]] std::size_t bytes) {
#if !defined(NDEBUG)
    std::memset(block, 0xff, bytes);
#endif
}

void* ask_system(std::size_t bytes) {
    system_calls.fetch_add(1, std::memory_order_relaxed);
    void* block = nullptr;
    return posix_memalign(&block, alignment, bytes) == 0 ? block : nullptr;
}

[[noreturn]] void fail_exhausted(std::size_t bytes) {
    throw MachineError(
        fmt::format("memory: the system has no more: asked {} bytes, in use {} bytes", bytes, statistics().in_use));
}

// A request beyond this is refused before any arithmetic on it can overflow (and before a sanitizer
// ends the program).
#if defined(ATTEND_SANITIZED)
constexpr std::size_t largest_request = std::size_t{1} << 39;
#else
constexpr std::size_t largest_request = std::size_t{1} << 46;
#endif
}  // namespace

#if defined(ATTEND_SANITIZED)

// Every block by itself and of the exact size, so that the sanitizers see each use outside of it or
// after its release.
void* allocate(std::size_t bytes) {
    void* block = bytes <= largest_request ? ask_system(bytes == 0 ? 1 : bytes) : nullptr;
    if (block == nullptr)
        fail_exhausted(bytes);
    account_globally(static_cast<int64_t>(bytes));
    spoil(block, bytes);
    return block;
}

void release(void* block, std::size_t bytes) noexcept {
    if (block == nullptr)
        return;
    account_globally(-static_cast<int64_t>(bytes));
    spoil(block, bytes);
    std::free(block);
}

Statistics statistics() {
    return {static_cast<std::size_t>(global_in_use.load()), static_cast<std::size_t>(peak_in_use.load()), 0,
            system_calls.load()};
}

void reset_peak() { peak_in_use.store(global_in_use.load()); }

void trim() noexcept {}

#else

namespace {
// Size classes: 64, 128, 192, 256, then four to a doubling (320, 384, 448, 512, 640, ...), so above
// 256 bytes at most a quarter of the request is lost.
constexpr int class_count = 4 + 4 * (46 - 8);

int class_of(std::size_t bytes) {
    if (bytes <= 256)
        return bytes == 0 ? 0 : static_cast<int>((bytes - 1) / 64);
    const int e = static_cast<int>(std::bit_width(bytes - 1)) - 1;  // 2^e < bytes <= 2^(e+1)
    return 4 + 4 * (e - 8) + static_cast<int>((bytes - 1 - (std::size_t{1} << e)) >> (e - 2));
}

std::size_t capacity_of(int c) {
    if (c < 4)
        return static_cast<std::size_t>(c + 1) * 64;
    const int e = 8 + (c - 4) / 4;
    return (std::size_t{1} << e) + (static_cast<std::size_t>((c - 4) % 4 + 1) << (e - 2));
}

struct Cache;

// Stands before every block. It knows the block's own class, because a request may be served by a
// larger block.
struct alignas(alignment) Block {
    Block* next = nullptr;
    Cache* owner = nullptr;  // the cache of the thread that took it; none while it is free
    std::size_t asked = 0;
    int size_class = 0;
    bool taken = false;

    void* memory() { return this + 1; }
    static Block* of(void* memory) { return static_cast<Block*>(memory) - 1; }
    std::size_t capacity() const { return capacity_of(size_class); }
};
static_assert(sizeof(Block) == alignment);

// For counters with one writer and many readers.
template <class T, class U>
void add_unshared(std::atomic<T>& counter, U difference) {
    counter.store(counter.load(std::memory_order_relaxed) + static_cast<T>(difference), std::memory_order_relaxed);
}

// Free blocks by class. One writer at a time; `bits` and `bytes` may be read by anyone, as hints.
struct Lists {
    Block* head[class_count] = {};
    std::atomic<uint64_t> bits[(class_count + 63) / 64] = {};  // which classes have blocks
    std::atomic<std::size_t> bytes{0};
    std::size_t count = 0;

    void push(Block* b) {
        const auto c = static_cast<std::size_t>(b->size_class);
        b->next = head[c];
        head[c] = b;
        bits[c / 64].store(bits[c / 64].load(std::memory_order_relaxed) | uint64_t{1} << c % 64, std::memory_order_relaxed);
        add_unshared(bytes, b->capacity());
        ++count;
    }
    Block* pop(int size_class) {
        const auto c = static_cast<std::size_t>(size_class);
        Block* b = head[c];
        if (b == nullptr)
            return nullptr;
        head[c] = b->next;
        if (head[c] == nullptr)
            bits[c / 64].store(bits[c / 64].load(std::memory_order_relaxed) & ~(uint64_t{1} << c % 64),
                               std::memory_order_relaxed);
        add_unshared(bytes, std::size_t{0} - b->capacity());
        --count;
        return b;
    }
    // The smallest class with blocks in [first, last], or class_count.
    int find(int first, int last) const {
        for (int c = first; c <= last;) {
            const uint64_t word = bits[c / 64].load(std::memory_order_relaxed) >> (c % 64);
            if (word != 0) {
                c += std::countr_zero(word);
                return c <= last ? c : class_count;
            }
            c = (c / 64 + 1) * 64;
        }
        return class_count;
    }
    void free_all() {
        for (int c = 0; c < class_count; ++c)
            while (Block* b = pop(c)) std::free(b);
    }
};

// What one thread keeps. Never destroyed: blocks point to it, and the next thread to start takes it
// over.
struct Cache {
    Lists lists;
    std::atomic<int64_t> in_use{0};         // taken minus given back by this thread, not yet added to global_in_use
    std::atomic<Block*> returned{nullptr};  // given back by other threads
    std::atomic<std::size_t> returned_bytes{0};
    std::atomic<bool> closed{false};
    uint32_t made[class_count] = {};  // blocks asked of the system, by class
    Cache* next = nullptr;

    void account(int64_t difference) {
        const int64_t sum = in_use.load(std::memory_order_relaxed) + difference;
        if (sum < accounting_step && sum > -accounting_step)
            return in_use.store(sum, std::memory_order_relaxed);
        in_use.store(0, std::memory_order_relaxed);
        account_globally(sum);
    }
    void give_back(Block* b) {
        returned_bytes.fetch_add(b->capacity(), std::memory_order_relaxed);
        b->next = returned.load(std::memory_order_relaxed);
        while (!returned.compare_exchange_weak(b->next, b, std::memory_order_release, std::memory_order_relaxed)) {
        }
    }
    void take_returned(Lists& to) {
        if (returned.load(std::memory_order_relaxed) == nullptr)
            return;
        for (Block* b = returned.exchange(nullptr, std::memory_order_acquire); b != nullptr;) {
            Block* following = b->next;
            returned_bytes.fetch_sub(b->capacity(), std::memory_order_relaxed);
            to.push(b);
            b = following;
        }
    }
};

// A thread keeps at most this much for itself; what is beyond goes to the shared lists, the largest
// blocks first.
constexpr std::size_t cache_bytes = std::size_t{64} << 20;
constexpr std::size_t cache_blocks = 65536;

// Everything below is constant-initialised and has nothing to destroy, so memory may be taken and
// given back before main, after it, and in the destructors of thread-locals.
constinit std::mutex mutex;
constinit Lists shared;             // guarded by mutex
constinit Cache* caches = nullptr;  // all there ever were; guarded by mutex
constinit thread_local Cache* local_cache = nullptr;
constinit thread_local bool thread_ended = false;

struct ThreadEnd {
    ~ThreadEnd() {
        Cache* cache = local_cache;
        local_cache = nullptr;
        thread_ended = true;
        account_globally(cache->in_use.exchange(0));
        const std::lock_guard lock(mutex);
        cache->closed.store(true);
        cache->take_returned(shared);
        for (int c = 0; c < class_count; ++c)
            while (Block* b = cache->lists.pop(c)) shared.push(b);
    }
};

// This thread's cache on its first use; none when there is no memory for one, or when the thread is
// ending.
[[gnu::noinline]] Cache* open_cache() noexcept {
    if (thread_ended)
        return nullptr;
    {
        const std::lock_guard lock(mutex);
        Cache* cache = caches;
        while (cache != nullptr && !cache->closed.load()) cache = cache->next;
        if (cache == nullptr) {
            void* place = ask_system(sizeof(Cache));
            if (place == nullptr)
                return nullptr;
            cache = new (place) Cache;
            cache->next = caches;
            caches = cache;
        }
        cache->closed.store(false);
        local_cache = cache;
    }
    thread_local ThreadEnd end;
    static_cast<void>(end);
    return local_cache;
}

Cache* this_cache() noexcept { return local_cache != nullptr ? local_cache : open_cache(); }

void account(Cache* cache, int64_t difference) {
    if (cache != nullptr)
        cache->account(difference);
    else
        account_globally(difference);
}

void* hand_out(Block* b, Cache* cache, std::size_t bytes) {
    b->owner = cache;
    b->asked = bytes;
    b->taken = true;
    account(cache, static_cast<int64_t>(bytes));
    spoil(b->memory(), bytes);
    return b->memory();
}

// One block of class c from the shared lists, and some more of its kind for the cache when they are
// small.
Block* take_shared(int c, Cache* cache) {
    const std::lock_guard lock(mutex);
    Block* b = shared.pop(c);
    if (b == nullptr || cache == nullptr)
        return b;
    for (std::size_t got = b->capacity(), n = 1; n < 16 && got + b->capacity() <= 16 * 1024; ++n, got += b->capacity()) {
        Block* more = shared.pop(c);
        if (more == nullptr)
            break;
        cache->lists.push(more);
    }
    return b;
}

// A block of class c from the system; null when it has no more.
Block* make_block(int c) noexcept {
    void* place = ask_system(sizeof(Block) + capacity_of(c));
    if (place == nullptr)
        return nullptr;
    auto* b = new (place) Block;
    b->size_class = c;
    return b;
}

// With the first block of a class that a thread makes, and with every so many more, it makes a
// spare one: other lengths, or another thread's turn, want blocks in another order and number than
// the step that made them. Of small blocks every one has its spare; a larger one that is never used
// is never written to, so it costs address space and no memory.
constexpr std::size_t small_block = 4096;
uint32_t blocks_a_spare(int c) { return capacity_of(c) <= small_block ? 1 : 8; }

// Nothing of the very class in the cache. Once settled, a free block up to 64 times as large (or of
// 256 KiB) serves before the system is asked: a smaller batch lives in what a larger one left,
// instead of adding its own classes to it.
[[gnu::noinline]] void* allocate_slowly(int c, Cache* cache, std::size_t bytes) {
    int last = c;
    if (settled.load(std::memory_order_relaxed))
        last = std::min(std::max(c + 24, class_of(256 * 1024)), class_count - 1);

    if (cache != nullptr)
        cache->take_returned(cache->lists);
    const int own = cache != nullptr ? cache->lists.find(c, last) : class_count;
    if (const int common = shared.find(c, last); common < own)
        if (Block* b = take_shared(common, cache))
            return hand_out(b, cache, bytes);
    if (own < class_count)
        return hand_out(cache->lists.pop(own), cache, bytes);

    Block* b = make_block(c);
    if (b == nullptr) {
        trim();
        b = make_block(c);
    }
    if (b == nullptr)
        fail_exhausted(bytes);
    if (cache != nullptr && cache->made[c]++ % blocks_a_spare(c) == 0)
        if (Block* spare = make_block(c))
            cache->lists.push(spare);
    return hand_out(b, cache, bytes);
}

[[gnu::noinline]] void spill(Cache& cache) noexcept {
    const std::lock_guard lock(mutex);
    for (int c = class_count - 1; c >= 0; --c)
        while (cache.lists.bytes.load(std::memory_order_relaxed) > cache_bytes / 2 || cache.lists.count > cache_blocks / 2) {
            Block* b = cache.lists.pop(c);
            if (b == nullptr)
                break;
            shared.push(b);
        }
}
}  // namespace

void* allocate(std::size_t bytes) {
    if (bytes > largest_request) [[unlikely]]
        fail_exhausted(bytes);
    Cache* cache = this_cache();
    const int c = class_of(bytes);
    if (cache != nullptr) [[likely]]
        if (Block* b = cache->lists.pop(c)) [[likely]]
            return hand_out(b, cache, bytes);
    return allocate_slowly(c, cache, bytes);
}

void release(void* memory, std::size_t bytes) noexcept {
    if (memory == nullptr)
        return;
    Block* b = Block::of(memory);
    assert(b->taken && "released twice, or never allocated");
    assert(b->asked == bytes && "released with another size than it was allocated with");
    b->taken = false;
    spoil(memory, bytes);
    Cache* cache = this_cache();
    account(cache, -static_cast<int64_t>(bytes));
    Cache* owner = b->owner;
    b->owner = nullptr;
    if (cache != nullptr && owner == cache) [[likely]] {
        cache->lists.push(b);
        if (cache->lists.bytes.load(std::memory_order_relaxed) > cache_bytes || cache->lists.count > cache_blocks) [[unlikely]]
            spill(*cache);
        return;
    }
    // Back to the thread that took it: so a thread that makes what others consume finds its blocks
    // again.
    if (owner != nullptr && !owner->closed.load(std::memory_order_relaxed) &&
        owner->returned_bytes.load(std::memory_order_relaxed) + b->capacity() <= cache_bytes)
        return owner->give_back(b);
    const std::lock_guard lock(mutex);
    shared.push(b);
}

Statistics statistics() {
    Statistics s;
    const std::lock_guard lock(mutex);
    int64_t in_use = global_in_use.load(std::memory_order_relaxed);
    s.cached = shared.bytes.load(std::memory_order_relaxed);
    for (const Cache* c = caches; c != nullptr; c = c->next) {
        in_use += c->in_use.load(std::memory_order_relaxed);
        s.cached += c->lists.bytes.load(std::memory_order_relaxed) + c->returned_bytes.load(std::memory_order_relaxed);
    }
    raise_to(peak_in_use, in_use);
    s.in_use = static_cast<std::size_t>(in_use < 0 ? 0 : in_use);
    s.peak_in_use = static_cast<std::size_t>(peak_in_use.load(std::memory_order_relaxed));
    s.system_calls = system_calls.load(std::memory_order_relaxed);
    return s;
}

void reset_peak() {
    peak_in_use.store(0, std::memory_order_relaxed);
    statistics();  // raises it to what is in use now
}

void trim() noexcept {
    if (Cache* cache = this_cache()) {
        cache->take_returned(cache->lists);
        cache->lists.free_all();
    }
    const std::lock_guard lock(mutex);
    for (Cache* c = caches; c != nullptr; c = c->next)
        if (c->closed.load())
            c->take_returned(shared);
    shared.free_all();
    start_growing(global_in_use.load(std::memory_order_relaxed));
}

#endif

}  // namespace attend::memory
