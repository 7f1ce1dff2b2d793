#include <unistd.h>

#include <iostream>

#include "core/gemm.h"
#include "train/cli/cli.h"
#include "train/cli/output.h"
#include "train/cli/process.h"

int main(int argc, char** argv) {
    attend::cli::prepare_process();
    attend::prepare_gemm();  // may fork, so before any thread
    std::ios::sync_with_stdio(false);
    attend::cli::OutputBuffer buffer(STDOUT_FILENO,
                                     isatty(STDOUT_FILENO) != 0 ? attend::cli::Reader::person : attend::cli::Reader::program);
    std::ostream out(&buffer);
    return attend::cli::run({argv + 1, argv + argc}, {std::cin, out, std::cerr, isatty(STDIN_FILENO) != 0});
}
