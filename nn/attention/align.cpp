#include "nn/attention/align.h"

namespace attend::ATTEND_PRECISION {

// The table: one line an alignment. NAME stands for align_NAME(), defined in align_NAME.cpp.
#define ATTEND_ALIGNMENTS(ROW) \
    ROW(softmax)               \
    ROW(sparsemax)

#define DECLARE(NAME) AlignTable::Row align_##NAME();
ATTEND_ALIGNMENTS(DECLARE)

#define LIST(NAME) align_##NAME(),
const AlignTable& align_table() {
    static const AlignTable table("align", {ATTEND_ALIGNMENTS(LIST)});
    return table;
}

namespace {
[[maybe_unused]] const bool listed = (align_table(), true);
}

}  // namespace attend::ATTEND_PRECISION
