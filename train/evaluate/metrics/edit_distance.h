#pragma once
/// Edit distance (Levenshtein 1966) between sequences of symbols: the fewest substitutions,
/// deletions and insertions, each of cost 1.
#include <span>
#include <string>
#include <vector>

#include "core/base/integers.h"

namespace attend {

/// Time is the product of the lengths, memory their sum.
int64_t edit_distance(std::span<const std::string> a, std::span<const std::string> b);

/// One step of an alignment: positions in the two sequences, -1 where a symbol has no partner.
struct AlignedPair {
    int64_t reference, decoded;
};

/// An alignment of the smallest edit distance, from left to right. Of several the one that, read
/// from the right, pairs symbols where it can, then drops a symbol of the reference, then one of
/// the decoded text. Time and memory are the product of the lengths.
std::vector<AlignedPair> align_symbols(std::span<const std::string> reference, std::span<const std::string> decoded);

}  // namespace attend
