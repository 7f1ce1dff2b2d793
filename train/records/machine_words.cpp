#include "train/records/machine_words.h"

#include <fmt/format.h>

#include <limits>

#include "core/base/memory.h"
#include "core/gemm.h"

namespace attend {

std::vector<std::string> machine_words(const ParameterStore& store) {
    std::vector<std::string> lines = {fmt::format("products: {}", gemm_library())};
    if (const std::size_t limit = memory::address_limit(); limit < std::numeric_limits<std::size_t>::max())
        lines.push_back(fmt::format("addresses: limited to {} MiB (ulimit -v), of which parameters may take {} MiB",
                                    limit >> 20, store.reserved_bytes() >> 20));
    return lines;
}

}  // namespace attend
