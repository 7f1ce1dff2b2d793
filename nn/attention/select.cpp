#include "nn/attention/select.h"

namespace attend::ATTEND_PRECISION {

// The table: one line a selection. NAME stands for select_NAME(), defined in select_NAME.cpp.
#define ATTEND_SELECTIONS(ROW) ROW(soft) ROW(hard)

#define DECLARE(NAME) SelectTable::Row select_##NAME();
ATTEND_SELECTIONS(DECLARE)

#define LIST(NAME) select_##NAME(),
const SelectTable& select_table() {
    static const SelectTable table("select", {ATTEND_SELECTIONS(LIST)});
    return table;
}

namespace {
[[maybe_unused]] const bool listed = (select_table(), true);
}

}  // namespace attend::ATTEND_PRECISION
