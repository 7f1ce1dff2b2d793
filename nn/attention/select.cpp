#include "nn/attention/select.h"

namespace attend::ATTEND_PRECISION {

// Each row is defined in the file of its name.
SelectTable::Row select_soft(), select_hard();

const SelectTable& select_table() {
    static const SelectTable table("select", {select_soft(), select_hard()});
    return table;
}
const registry::AtStart select_listed(select_table());

}  // namespace attend::ATTEND_PRECISION
