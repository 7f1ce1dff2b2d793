#pragma once
/// "grid" of a comparison's config: lists of values, of which all combinations are variants.
#include <string>
#include <vector>

#include "train/config/document.h"

namespace attend::compare {

/// Variants of a grid, at most.
inline constexpr std::size_t most_combinations = 1000;

/// One value for each key of a grid.
struct Combination {
    std::string name;                     ///< "learning_rate=0.001,hidden=32"
    std::vector<config::Member> changes;  ///< key paths and their values
};

/// All combinations in the order of an odometer: the last key changes first. A name has KEY=VALUE
/// of each key: the last word of its path, or as many words as keep the keys apart; a value that is
/// an object or a list gives its values, with '+' between; a character that a file's name should
/// not have becomes '_'.
///
/// Throws Error naming the place: no object of lists, an empty list, a value twice or two with one
/// name, a key below another, more than most_combinations.
std::vector<Combination> combinations(const config::Value& grid);

}  // namespace attend::compare
