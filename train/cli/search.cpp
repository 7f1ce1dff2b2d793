#include "train/cli/search.h"

namespace attend::cli {

void add_search(CommandLine& app, SearchArguments& arguments) {
    app.add_option("--beam", arguments.beam, "outputs followed at the same time, 1: greedy (default: the config's decode.beam)")
        .check(integer_in(int64_t{1}, most_beam));
    app.add_option("--length-penalty", arguments.length_penalty,
                   "rank outputs by log-likelihood / ((5 + length) / 6)^A (default: the config's decode.length_penalty)")
        .type_name("A")
        .check(number_in(0.0, 10.0));
}

DecodeOptions chosen(DecodeOptions of_run, const SearchArguments& arguments) {
    of_run.beam = arguments.beam.value_or(of_run.beam);
    of_run.length_penalty = arguments.length_penalty.value_or(of_run.length_penalty);
    return of_run;
}

}  // namespace attend::cli
