/// Products as other processors compute them: every kind of kernels that OpenBLAS has, and ours
/// without AVX-512.
#include "tests/oracles/other_machines.h"

#include <doctest/doctest.h>

#include "core/gemm.h"
#include "tests/oracles/allocation_hooks.h"

namespace other_machines_test_both {

TEST_SUITE_BEGIN("other machines");

using namespace attend;

TEST_CASE("products keep their promises with every kind of kernels of OpenBLAS, and without AVX-512") {
    for (const oracles::OtherMachine& machine : oracles::other_machines()) {
        CAPTURE(machine.core_type);
        const oracles::Ended ran = oracles::run_tests_as(machine, "--test-suite=gemm");
        CHECK_MESSAGE(ran.code == 0, ran.output);
        CHECK_MESSAGE(ran.output.find("test cases: 0") == std::string::npos, ran.output);
    }
}

TEST_SUITE_END();

}  // namespace other_machines_test_both
