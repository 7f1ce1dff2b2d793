#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include <cstdlib>

#include "core/gemm.h"
#include "tests/oracles/other_machines.h"

int main(int argc, char** argv) {
    ::setenv("XDG_CACHE_HOME", ATTEND_BINARY_DIR "/cache", 1);  // not the user's
    attend::oracles::cut_vectors();
    attend::prepare_gemm();
    return doctest::Context(argc, argv).run();
}
