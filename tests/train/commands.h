#pragma once
/// Commands of the program, run in this process.
#include <sstream>
#include <string>
#include <vector>

#include "core/real.h"
#include "train/cli/cli.h"

namespace attend::ATTEND_PRECISION::testing {

/// What a command of the program gave.
struct Outcome {
    int code;
    std::string out, error;
};

/// Who writes standard input: a file or a pipe, or somebody at a terminal.
enum class Typist { stream, person };

inline Outcome attend_command(const std::vector<std::string>& arguments, const std::string& input = "",
                              Typist from = Typist::stream) {
    std::istringstream in(input);
    std::ostringstream out, error;
    const int code = cli::run(arguments, {in, out, error, from == Typist::person});
    return {code, out.str(), error.str()};
}

}  // namespace attend::ATTEND_PRECISION::testing
