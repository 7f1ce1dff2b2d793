#include "nn/attention/window.h"

namespace attend::ATTEND_PRECISION {

// The table: one line a window. NAME stands for window_NAME(), defined in window_NAME.cpp.
#define ATTEND_WINDOWS(ROW) \
    ROW(global)             \
    ROW(causal)

#define DECLARE(NAME) WindowTable::Row window_##NAME();
ATTEND_WINDOWS(DECLARE)

#define LIST(NAME) window_##NAME(),
const WindowTable& window_table() {
    static const WindowTable table("window", {ATTEND_WINDOWS(LIST)});
    return table;
}

namespace {
[[maybe_unused]] const bool listed = (window_table(), true);
}

}  // namespace attend::ATTEND_PRECISION
