#include <numeric>

#include "data/tasks/symbols.h"

namespace attend {

std::unique_ptr<Task> reverse_task(const SymbolOptions& options, const TaskSetup& setup) {
    return rearranging_task("reverse", options, setup, [](std::span<const int32_t> source) {
        std::vector<int32_t> positions(source.size());
        std::iota(positions.rbegin(), positions.rend(), 0);
        return positions;
    });
}

}  // namespace attend
