#include "nn/attention/window.h"

#include <algorithm>

namespace attend::ATTEND_PRECISION {

namespace {

// One range for each of a row's K samples of T queries, from those of its T queries.
Ranges for_samples(const Ranges& own, int64_t rows, int64_t samples) {
    Ranges all;
    const auto times = static_cast<std::ptrdiff_t>(own.size()) / std::max<std::ptrdiff_t>(rows, 1);
    for (std::ptrdiff_t row = 0; row < rows; ++row)
        for (int64_t k = 0; k < samples; ++k) all.insert(all.end(), own.begin() + row * times, own.begin() + (row + 1) * times);
    return all;
}

}  // namespace

View Window::view(const Call& call) const {
    View view{ranges(call.lengths, call.queries() / call.samples, call.position)};
    if (call.samples > 1)
        view.ranges = for_samples(view.ranges, call.batch(), call.samples);
    if (contiguous())
        return view;
    const auto columns = static_cast<std::size_t>(call.source);
    view.visible.assign(view.ranges.size() * columns, 0);
    for (std::size_t row = 0; row < view.ranges.size(); ++row)
        for (int32_t s = view.ranges[row].begin; s < view.ranges[row].end; ++s)
            view.visible[row * columns + static_cast<std::size_t>(s)] =
                sees(call.position_of(static_cast<int64_t>(row) % call.queries()), s);
    return view;
}

// Each row is defined in the file of its name.
WindowTable::Row window_global(), window_causal(), window_local_m(), window_local_p(), window_sliding(), window_dilated(),
    window_blocks();

const WindowTable& window_table() {
    static const WindowTable table("window", {window_global(), window_causal(), window_local_m(), window_local_p(),
                                              window_sliding(), window_dilated(), window_blocks()});
    return table;
}
const registry::AtStart window_listed(window_table());

}  // namespace attend::ATTEND_PRECISION
