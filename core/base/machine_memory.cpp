#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <limits>

#include "core/base/memory.h"

namespace attend::memory {

std::size_t address_limit() {
    rlimit limit{};
    const bool limited = ::getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY;
    return limited ? static_cast<std::size_t>(limit.rlim_cur) : std::numeric_limits<std::size_t>::max();
}

std::size_t physical() {
    const auto machine = static_cast<std::size_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    std::size_t limit = 0;  // "max" or no such file: none
    std::ifstream("/sys/fs/cgroup/memory.max") >> limit;
    const std::size_t allowed = std::min(machine, address_limit());
    return limit > 0 ? std::min(allowed, limit) : allowed;
}

}  // namespace attend::memory
