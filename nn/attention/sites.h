#pragma once
/// The sites of a model: its attentions, one by one (of multi-head attention every head), numbered
/// as the model is built. Maps, choices and reports carry the number; the path is for people.
#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

namespace attend {

enum class SiteKind {
    self,     ///< positions of a decoder attend to the decoder's own
    encoder,  ///< positions of an encoder attend to the encoder's own
    cross,    ///< positions of a decoder attend to a source
    memory,   ///< to a table of other things
};

/// What a map's columns are: positions of a source, or of the sequence that the rows are of
/// (self-attention).
enum class Columns { source, own };

/// Whose losses a choice of a site affects.
enum class Affects {
    own_step,   ///< of the target that it is made for, alone
    following,  ///< of that target and all later ones
    all,        ///< of every target of the row: an encoder's, read before all of them
};

struct Site {
    int64_t number = 0;
    std::string path = {};  ///< of the module; with the head's number where there are several
    int64_t layer = 0;
    int64_t head = 0;
    SiteKind kind = SiteKind::cross;
    Affects affects = Affects::following;
    const char* option = "attention";  ///< of the model, that says how it attends
    int64_t room = 0;                  ///< longest sequence that its score can read (Score::room())

    Columns columns() const { return kind == SiteKind::self || kind == SiteKind::encoder ? Columns::own : Columns::source; }
};

/// All of a model, site n at place n.
using Sites = std::vector<Site>;

/// Whether a choice affects no other step, at any site.
inline bool independent(const Sites& sites) {
    return std::ranges::all_of(sites, [](const Site& s) { return s.affects == Affects::own_step; });
}

}  // namespace attend
