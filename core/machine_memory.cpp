#include <unistd.h>

#include <algorithm>
#include <fstream>

#include "core/memory.h"

namespace attend::inline ATTEND_PRECISION::memory {

std::size_t physical() {
    const auto machine = static_cast<std::size_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    std::size_t limit = 0;  // "max" or no such file: none
    std::ifstream("/sys/fs/cgroup/memory.max") >> limit;
    return limit > 0 ? std::min(machine, limit) : machine;
}

}  // namespace attend::inline ATTEND_PRECISION::memory
