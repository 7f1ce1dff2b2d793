#pragma once
/// What goes with what: where each factor of `weighted` attention can stand, and which two factors exclude each other. Found by
/// building small attentions, so that it says what building says.
#include <string>
#include <vector>

#include "core/real.h"

namespace attend::ATTEND_PRECISION {

/// Where an attention can stand, in the order of the columns of GoesTogether::places.
inline constexpr const char* attention_places[] = {"decoder to source, step by step", "decoder to source, all at once",
                                                   "encoder", "decoder to its own past"};

struct FactorPlaces {
    std::string factor, row;       ///< "score", "additive"
    std::vector<std::string> why;  ///< one a place: why it cannot stand there; empty: it can
};

struct FactorPair {
    std::string one, other;  ///< "bias forget", "window global"
    std::string why;
};

struct GoesTogether {
    std::vector<FactorPlaces> places;
    std::vector<FactorPair> apart;  ///< pairs that stand together in no place, though each can stand in one that has the other
};

GoesTogether attention_matrix();

}  // namespace attend::ATTEND_PRECISION
