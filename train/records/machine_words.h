#pragma once
#include <string>
#include <vector>

#include "core/parameters.h"

namespace attend {

/// What a run's log says of the machine that it computes on, a line each: whose kernels compute the
/// products (and why not OpenBLAS's, where those fail), and how many addresses there are where the
/// process is limited (`ulimit -v`).
std::vector<std::string> machine_words(const ParameterStore& store);

}  // namespace attend
