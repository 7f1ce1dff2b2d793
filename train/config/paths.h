#pragma once
/// The files that an options struct names.
#include <string>
#include <vector>

#include "core/base/options.h"

namespace attend::config {

/// Every path that the options name, in the order of their listing, chosen rows included; empty ones are left out.
std::vector<std::string> paths_of(FunctionRef<void(Visitor&)> fields);

}  // namespace attend::config
