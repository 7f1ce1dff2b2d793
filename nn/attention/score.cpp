#include "nn/attention/score.h"

namespace attend::ATTEND_PRECISION {

// The table: one line a score. NAME stands for score_NAME(), defined in score_NAME.cpp.
#define ATTEND_SCORES(ROW) \
    ROW(additive)          \
    ROW(dot)               \
    ROW(scaled_dot)        \
    ROW(general)           \
    ROW(concat)

#define DECLARE(NAME) ScoreTable::Row score_##NAME();
ATTEND_SCORES(DECLARE)

#define LIST(NAME) score_##NAME(),
const ScoreTable& score_table() {
    static const ScoreTable table("score", {ATTEND_SCORES(LIST)});
    return table;
}

namespace {
[[maybe_unused]] const bool listed = (score_table(), true);
}

}  // namespace attend::ATTEND_PRECISION
