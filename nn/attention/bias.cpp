#include "nn/attention/bias.h"

namespace attend::ATTEND_PRECISION {

// The table: one line a bias. NAME stands for bias_NAME(), defined in bias_NAME.cpp.
#define ATTEND_BIASES(ROW) \
    ROW(none)              \
    ROW(alibi)             \
    ROW(relative)

#define DECLARE(NAME) BiasTable::Row bias_##NAME();
ATTEND_BIASES(DECLARE)

#define LIST(NAME) bias_##NAME(),
const BiasTable& bias_table() {
    static const BiasTable table("bias", {ATTEND_BIASES(LIST)});
    return table;
}

namespace {
[[maybe_unused]] const bool listed = (bias_table(), true);
}

}  // namespace attend::ATTEND_PRECISION
