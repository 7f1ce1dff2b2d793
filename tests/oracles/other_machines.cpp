#include "tests/oracles/other_machines.h"

#include <cstdlib>
#include <string_view>
#include <utility>

#include "core/kernels/targets.h"
#include "hwy/highway.h"

namespace attend::ATTEND_PRECISION::oracles {

namespace {
constexpr const char* vectors_variable = "ATTEND_TEST_VECTORS";
constexpr const char* core_variable = "OPENBLAS_CORETYPE";
}  // namespace

void cut_vectors() {
    const char* wanted = std::getenv(vectors_variable);
    if (wanted == nullptr || std::string_view(wanted) != "AVX2")
        return;
    hwy::DisableTargets(HWY_AVX3 | HWY_AVX3_DL);
    hwy::GetChosenTarget().Update(hwy::SupportedTargets());
}

std::vector<OtherMachine> other_machines() {
    std::vector<OtherMachine> all = {{""}};
#if defined(__x86_64__)
#if defined(ATTEND_SANITIZED)  // these take their time, and OpenBLAS is not compiled with them
    all.push_back({"Haswell"});
#else
    for (const char* type : {"Prescott", "Nehalem", "Sandybridge", "Haswell", "Zen", "SkylakeX", "Cooperlake"})
        all.push_back({type});
#endif
#endif
    return all;
}

Ended run_tests_as(const OtherMachine& machine, const std::string& filter) {
    std::vector<std::string> changes = {std::string(vectors_variable) + "=AVX2"};
    if (!machine.core_type.empty())
        changes.push_back(std::string(core_variable) + "=" + machine.core_type);
    return run_process({"/proc/self/exe", filter, "--no-colors=true"}, std::move(changes));
}

}  // namespace attend::ATTEND_PRECISION::oracles
