#pragma once
/// The caching allocator under tensor storage, graph nodes and batches. After one step of the
/// largest shape a training step makes no system allocation; a smaller batch uses the blocks that
/// the larger one left. Blocks are 64-byte aligned. Thread caches are bounded and spill to a shared
/// list; a thread's end returns all it keeps. Debug builds fill fresh and freed blocks with NaN;
/// sanitizer builds bypass the cache.
#include <cstddef>
#include <vector>

namespace attend {

namespace memory {

constexpr std::size_t alignment = 64;

/// At least `bytes` bytes, 64-byte aligned; zero bytes give a valid pointer too. Throws
/// MachineError with both numbers (asked, in use) when the system has no more.
void* allocate(std::size_t bytes);

/// Gives back what allocate(bytes) gave, with the same `bytes`. Any thread may give back what any
/// other took.
void release(void* block, std::size_t bytes) noexcept;

/// Memory this process may use at most, in bytes: the machine's, or its control group's or the
/// shell's limit (`ulimit -v`) where that is less.
std::size_t physical();
/// Bytes of addresses that this process may have at most (`ulimit -v`); the largest number where
/// there is no limit.
std::size_t address_limit();

struct Statistics {
    std::size_t in_use = 0;        ///< bytes handed out now
    std::size_t peak_in_use = 0;   ///< the most bytes handed out at one time since reset_peak()
    std::size_t cached = 0;        ///< bytes kept for reuse
    std::size_t system_calls = 0;  ///< how often the system was asked for memory
};

/// Counts over all threads.
Statistics statistics();
/// Starts a new measurement of peak_in_use.
void reset_peak();
/// Returns all cached blocks of the shared list and of the calling thread to the system.
void trim() noexcept;

}  // namespace memory

/// std allocator over memory::allocate.
template <class T>
struct CacheAllocator {
    using value_type = T;
    CacheAllocator() = default;
    template <class U>
    CacheAllocator(const CacheAllocator<U>&) noexcept {}
    T* allocate(std::size_t n) { return static_cast<T*>(memory::allocate(n * sizeof(T))); }
    void deallocate(T* p, std::size_t n) noexcept { memory::release(p, n * sizeof(T)); }
    template <class U>
    bool operator==(const CacheAllocator<U>&) const noexcept {
        return true;
    }
};

/// A vector whose memory comes from the caching allocator: for everything that a training step
/// builds anew.
template <class T>
using Array = std::vector<T, CacheAllocator<T>>;

}  // namespace attend
