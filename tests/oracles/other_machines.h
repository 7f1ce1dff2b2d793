#pragma once
/// Test cases of this program in child processes that compute as other processors would: with other
/// kernels of OpenBLAS, and without AVX-512.
#include <string>
#include <vector>

#include "tests/oracles/child_process.h"

namespace attend::ATTEND_PRECISION::oracles {

/// Where the environment says ATTEND_TEST_VECTORS=AVX2, this process uses no vectors wider than
/// AVX2's. Called by main().
void cut_vectors();

/// A processor to compute as: what OPENBLAS_CORETYPE says (empty: not set), with at most the
/// vectors of AVX2.
struct OtherMachine {
    std::string core_type;
};
/// Every kind of kernels that the linked OpenBLAS has for this architecture, and its own choice.
/// Kernels that this processor cannot run are among them: the check at start finds those, and own
/// kernels do all.
std::vector<OtherMachine> other_machines();

/// Runs this very program's test cases that match `filter` (a doctest option, as
/// "--test-suite=gemm") as that machine.
Ended run_tests_as(const OtherMachine& machine, const std::string& filter);

}  // namespace attend::ATTEND_PRECISION::oracles
