#include <signal.h>
#include <unistd.h>

#include <iostream>

#include "core/parallel.h"
#include "train/cli/cli.h"

int main(int argc, char** argv) {
    attend::flush_denormals();
    signal(SIGPIPE, SIG_IGN);  // a closed pipe is a failed write, not the end of a training run
    std::ios::sync_with_stdio(false);
    return attend::cli::run({argv + 1, argv + argc}, {std::cin, std::cout, std::cerr, isatty(STDIN_FILENO) != 0});
}
