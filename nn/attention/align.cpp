#include "nn/attention/align.h"

namespace attend::ATTEND_PRECISION {

// Each row is defined in the file of its name.
AlignTable::Row align_softmax(), align_sparsemax(), align_entmax15(), align_entmax(), align_sigmoid(), align_relu(),
    align_top_k(), align_softmax_one(), align_sink(), align_monotonic();

const AlignTable& align_table() {
    static const AlignTable table(
        "align", {align_softmax(), align_sparsemax(), align_entmax15(), align_entmax(), align_sigmoid(), align_relu(),
                  align_top_k(), align_softmax_one(), align_sink(), align_monotonic()});
    return table;
}
const registry::AtStart align_listed(align_table());

}  // namespace attend::ATTEND_PRECISION
