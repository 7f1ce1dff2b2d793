#pragma once
/// Programs run by tests.
#include <string>
#include <vector>

#include "core/real.h"

namespace attend::ATTEND_PRECISION::oracles {

struct Ended {
    int code = 0;        ///< the exit code, 128 + the signal that ended it
    std::string output;  ///< standard output and error together
};

/// Runs the program at words[0] with those arguments and waits for it; its environment is this
/// process's, where each NAME=VALUE of `changes` replaces what is there. Nothing to read on
/// standard input. Throws MachineError where it cannot be started.
Ended run_process(std::vector<std::string> words, std::vector<std::string> changes = {});

}  // namespace attend::ATTEND_PRECISION::oracles
