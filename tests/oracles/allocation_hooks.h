#pragma once
/// Counts what the whole test program asks the system for: every call of the malloc family
/// (operator new ends there) and of mmap, from every thread and library. Linked into every test
/// executable, where its malloc replaces the C library's.
#include <cstdint>

#include "core/real.h"

namespace attend::ATTEND_PRECISION::oracles {

struct AllocationCounts {
    int64_t malloc_calls = 0;  ///< malloc, calloc, realloc, reallocarray, memalign, aligned_alloc, posix_memalign, valloc
    int64_t malloc_bytes = 0;  ///< bytes asked by them
    int64_t mmap_calls = 0;    ///< calls of mmap other than malloc's own
    int64_t first_bytes = -1;  ///< size of the first request of either kind, for finding the culprit; -1: none
};

/// Counts from start() to stop(). One at a time in a program.
class AllocationCounter {
  public:
    /// False under sanitizers, which bring their own malloc, and where the C library is not glibc:
    /// then all counts stay 0 and a test has nothing to say.
    static bool available();
    void start();
    AllocationCounts stop();
};

}  // namespace attend::ATTEND_PRECISION::oracles
