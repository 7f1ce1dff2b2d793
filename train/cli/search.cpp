#include "train/cli/search.h"

namespace attend::cli {

void add_search(CommandLine& app, SearchArguments& arguments) {
    app.add_integer("--beam", arguments.beam, {1, most_beam},
                    "outputs followed at the same time, 1: greedy (default: the config's decode.beam)");
    app.add_number("--length-penalty", arguments.length_penalty, {0, 10},
                   "rank outputs by log-likelihood / ((5 + length) / 6)^A (default: the config's decode.length_penalty)")
        .type_name("A");
}

DecodeOptions chosen(DecodeOptions of_run, const SearchArguments& arguments) {
    of_run.beam = arguments.beam.value_or(of_run.beam);
    of_run.length_penalty = arguments.length_penalty.value_or(of_run.length_penalty);
    return of_run;
}

}  // namespace attend::cli
