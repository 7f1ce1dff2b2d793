#include "nn/attention/score.h"

namespace attend::ATTEND_PRECISION {

// Each row is defined in the file of its name.
ScoreTable::Row score_additive(), score_dot(), score_scaled_dot(), score_general(), score_concat(), score_location(),
    score_location_aware(), score_cosine(), score_coverage();

const ScoreTable& score_table() {
    static const ScoreTable table("score", {score_additive(), score_dot(), score_scaled_dot(), score_general(), score_concat(),
                                            score_location(), score_location_aware(), score_cosine(), score_coverage()});
    return table;
}
const registry::AtStart score_listed(score_table());

}  // namespace attend::ATTEND_PRECISION
