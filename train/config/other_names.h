#pragma once
/// What other programs call our options, for hints: most configs are written by people who know
/// another program.
#include <string>
#include <string_view>
#include <vector>

#include "core/base/integers.h"

namespace attend::config {

struct OtherName {
    std::string theirs, ours;  ///< keys without a path: "batch_size", "batch"
};

/// The table. A name of theirs that can mean several of ours has an entry for each.
std::vector<OtherName> other_names();

/// Our names for one of theirs, in the order of the table; none where it is not known.
std::vector<std::string> our_names(std::string_view theirs);

}  // namespace attend::config
