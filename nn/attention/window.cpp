#include "nn/attention/window.h"

namespace attend::ATTEND_PRECISION {

// Each row is defined in the file of its name.
WindowTable::Row window_global(), window_causal();

const WindowTable& window_table() {
    static const WindowTable table("window", {window_global(), window_causal()});
    return table;
}
const registry::AtStart window_listed(window_table());

}  // namespace attend::ATTEND_PRECISION
