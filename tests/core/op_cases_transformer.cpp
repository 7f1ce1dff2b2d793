#include "core/ops.h"
#include "tests/core/op_cases.h"
#include "tests/oracles/composites.h"

namespace attend::inline ATTEND_PRECISION::oracles {

namespace {

void add_activations(std::vector<OpCase>& all) {
    const Expected nothing = Expected::no_gradient;
    const struct {
        const char* name;
        OpCase::Function op, composite;
    } elementwise[] = {
        {"gelu", [](Inputs in) { return gelu(in[0]); }, nullptr},
        {"gelu_tanh", [](Inputs in) { return gelu_tanh(in[0]); }, [](Inputs in) { return gelu_tanh_composite(in[0]); }},
        {"silu", [](Inputs in) { return silu(in[0]); }, [](Inputs in) { return silu_composite(in[0]); }},
    };
    for (const auto& e : elementwise) {
        all.push_back({e.name, {{{3, 7}, -4, 4}}, {3, 7}, e.op, e.composite});
        all.push_back({std::string(e.name) + " scalar", {{Shape{}, -4, 4}}, {}, e.op, e.composite});
        all.push_back({std::string(e.name) + " empty", {{2, 0}}, {2, 0}, e.op, nullptr, nothing});
    }
    const OpCase::Function gate = [](Inputs in) { return swiglu(in[0]); };
    all.push_back({"swiglu", {{{2, 3, 10}, -4, 4}}, {2, 3, 5}, gate, [](Inputs in) { return swiglu_composite(in[0]); }});
    all.push_back({"swiglu one axis", {{2}}, {1}, gate});
    all.push_back({"swiglu no columns", {{3, 0}}, {3, 0}, gate, nullptr, nothing});
    all.push_back({"swiglu no rows", {{0, 4}}, {0, 2}, gate, nullptr, nothing});
}

void add_norms(std::vector<OpCase>& all) {
    const Expected nothing = Expected::no_gradient;
    constexpr real e = real{1e-2};
    all.push_back({"rms_norm",
                   {{2, 3, 5}, {5}},
                   {2, 3, 5},
                   [](Inputs in) { return rms_norm(in[0], in[1], e); },
                   [](Inputs in) { return rms_norm_composite(in[0], in[1], e); }});
    all.push_back({"rms_norm plain",
                   {{4, 5}},
                   {4, 5},
                   [](Inputs in) { return rms_norm(in[0], {}, e); },
                   [](Inputs in) { return rms_norm_composite(in[0], {}, e); }});
    all.push_back({"rms_norm one axis", {{5}, {5}}, {5}, [](Inputs in) { return rms_norm(in[0], in[1], e); }});
    all.push_back(
        {"rms_norm no rows", {{0, 3}, {3}}, {0, 3}, [](Inputs in) { return rms_norm(in[0], in[1], e); }, nullptr, nothing});
    all.push_back(
        {"rms_norm no columns", {{3, 0}, {0}}, {3, 0}, [](Inputs in) { return rms_norm(in[0], in[1], e); }, nullptr, nothing});
}

void add_rotary(std::vector<OpCase>& all) {
    const Expected nothing = Expected::no_gradient;
    all.push_back({"rotary",
                   {{2, 3, 8}},
                   {2, 3, 8},
                   [](Inputs in) { return rotary(in[0], 2, 4); },
                   [](Inputs in) { return rotary_composite(in[0], 2, 4, 0, 10000); }});
    all.push_back({"rotary first heads, later position, other base",
                   {{2, 5, 23}},
                   {2, 5, 23},
                   [](Inputs in) { return rotary(in[0], 3, 6, 1000, 500); },
                   [](Inputs in) { return rotary_composite(in[0], 3, 6, 1000, 500); }});
    all.push_back({"rotary no heads", {{1, 2, 3}}, {1, 2, 3}, [](Inputs in) { return rotary(in[0], 0, 2); }});
    all.push_back({"rotary one pair", {{1, 1, 2}}, {1, 1, 2}, [](Inputs in) { return rotary(in[0], 1, 2, 3); }});
    all.push_back(
        {"rotary no positions", {{2, 0, 4}}, {2, 0, 4}, [](Inputs in) { return rotary(in[0], 1, 4); }, nullptr, nothing});
    all.push_back({"rotary no rows", {{0, 2, 4}}, {0, 2, 4}, [](Inputs in) { return rotary(in[0], 1, 4); }, nullptr, nothing});
}

}  // namespace

std::vector<OpCase> transformer_op_cases() {
    std::vector<OpCase> all;
    add_activations(all);
    add_norms(all);
    add_rotary(all);
    return all;
}

}  // namespace attend::inline ATTEND_PRECISION::oracles
