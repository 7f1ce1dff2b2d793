#include <algorithm>
#include <numeric>

#include "data/tasks/symbols.h"

namespace attend {

std::unique_ptr<Task> sort_task(const SymbolOptions& options, const TaskSetup& setup) {
    return rearranging_task("sort", options, setup, [](std::span<const int32_t> source) {
        std::vector<int32_t> positions(source.size());
        std::iota(positions.begin(), positions.end(), 0);
        std::ranges::stable_sort(positions, {}, [&](int32_t p) { return source[static_cast<std::size_t>(p)]; });
        return positions;
    });
}

}  // namespace attend
