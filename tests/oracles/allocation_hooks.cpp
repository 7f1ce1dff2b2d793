#include "tests/oracles/allocation_hooks.h"

#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdlib>

namespace attend::ATTEND_PRECISION::oracles {
namespace {
constinit std::atomic<bool> counting{false};
constinit std::atomic<int64_t> malloc_calls{0}, malloc_bytes{0}, mmap_calls{0}, first_bytes{-1};

[[maybe_unused]] void note(std::atomic<int64_t>& calls, std::size_t bytes) {
    if (!counting.load(std::memory_order_relaxed))
        return;
    calls.fetch_add(1, std::memory_order_relaxed);
    int64_t none = -1;
    first_bytes.compare_exchange_strong(none, static_cast<int64_t>(bytes), std::memory_order_relaxed);
}
[[maybe_unused]] void note_malloc(std::size_t bytes) {
    note(malloc_calls, bytes);
    if (counting.load(std::memory_order_relaxed))
        malloc_bytes.fetch_add(static_cast<int64_t>(bytes), std::memory_order_relaxed);
}
[[maybe_unused]] void note_mmap(std::size_t bytes) { note(mmap_calls, bytes); }
}  // namespace

void AllocationCounter::start() {
    malloc_calls = malloc_bytes = mmap_calls = 0;
    first_bytes = -1;
    counting = true;
}

AllocationCounts AllocationCounter::stop() {
    counting = false;
    return {malloc_calls, malloc_bytes, mmap_calls, first_bytes};
}

#if defined(__GLIBC__) && !defined(ATTEND_SANITIZED) && !defined(__SANITIZE_THREAD__) && !defined(__SANITIZE_ADDRESS__)
bool AllocationCounter::available() { return true; }
#else
bool AllocationCounter::available() { return false; }
#endif

}  // namespace attend::ATTEND_PRECISION::oracles

#if defined(__GLIBC__) && !defined(ATTEND_SANITIZED) && !defined(__SANITIZE_THREAD__) && !defined(__SANITIZE_ADDRESS__)

// glibc exports its allocator under these names for exactly this use.
extern "C" {
void* __libc_malloc(std::size_t bytes);
void* __libc_calloc(std::size_t count, std::size_t bytes);
void* __libc_realloc(void* block, std::size_t bytes);
void* __libc_memalign(std::size_t alignment, std::size_t bytes);

void* malloc(std::size_t bytes) noexcept {
    attend::oracles::note_malloc(bytes);
    return __libc_malloc(bytes);
}

void* calloc(std::size_t count, std::size_t bytes) noexcept {
    attend::oracles::note_malloc(count * bytes);
    return __libc_calloc(count, bytes);
}

void* realloc(void* block, std::size_t bytes) noexcept {
    attend::oracles::note_malloc(bytes);
    return __libc_realloc(block, bytes);
}

void* reallocarray(void* block, std::size_t count, std::size_t bytes) noexcept {
    std::size_t product = 0;
    if (__builtin_mul_overflow(count, bytes, &product)) {
        errno = ENOMEM;
        return nullptr;
    }
    attend::oracles::note_malloc(product);
    return __libc_realloc(block, product);
}

void* memalign(std::size_t alignment, std::size_t bytes) noexcept {
    attend::oracles::note_malloc(bytes);
    return __libc_memalign(alignment, bytes);
}

void* aligned_alloc(std::size_t alignment, std::size_t bytes) noexcept {
    attend::oracles::note_malloc(bytes);
    return __libc_memalign(alignment, bytes);
}

void* valloc(std::size_t bytes) noexcept {
    attend::oracles::note_malloc(bytes);
    return __libc_memalign(static_cast<std::size_t>(sysconf(_SC_PAGESIZE)), bytes);
}

int posix_memalign(void** block, std::size_t alignment, std::size_t bytes) noexcept {
    attend::oracles::note_malloc(bytes);
    if (alignment % sizeof(void*) != 0 || alignment == 0 || (alignment & (alignment - 1)) != 0)
        return EINVAL;
    void* got = __libc_memalign(alignment, bytes);
    if (got == nullptr)
        return ENOMEM;
    *block = got;
    return 0;
}

void* mmap(void* address, std::size_t bytes, int protection, int flags, int file, off_t offset) noexcept {
    attend::oracles::note_mmap(bytes);
    return reinterpret_cast<void*>(syscall(SYS_mmap, address, bytes, protection, flags, file, offset));
}

void* mmap64(void* address, std::size_t bytes, int protection, int flags, int file, off64_t offset) noexcept {
    attend::oracles::note_mmap(bytes);
    return reinterpret_cast<void*>(syscall(SYS_mmap, address, bytes, protection, flags, file, offset));
}
}

#endif
