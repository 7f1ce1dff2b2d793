#include "nn/attention/align.h"

namespace attend::ATTEND_PRECISION {

// Each row is defined in the file of its name.
AlignTable::Row align_softmax(), align_sparsemax();

const AlignTable& align_table() {
    static const AlignTable table("align", {align_softmax(), align_sparsemax()});
    return table;
}
const registry::AtStart align_listed(align_table());

}  // namespace attend::ATTEND_PRECISION
