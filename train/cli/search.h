#pragma once
/// What the commands that decode say about the search in place of the run's config.
#include <optional>

#include "train/cli/cli.h"
#include "train/experiment/experiment.h"

namespace attend::cli {

struct SearchArguments {
    std::optional<int64_t> beam;
    std::optional<double> length_penalty;
};

/// Adds `--beam N` and `--length-penalty A`.
void add_search(CommandLine& app, SearchArguments& arguments);

/// The run's options with what was given on the command line.
DecodeOptions chosen(DecodeOptions of_run, const SearchArguments& arguments);

}  // namespace attend::cli
