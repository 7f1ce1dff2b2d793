#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include "core/gemm.h"
#include "tests/oracles/other_machines.h"

int main(int argc, char** argv) {
    attend::oracles::cut_vectors();
    attend::prepare_gemm();
    return doctest::Context(argc, argv).run();
}
