#pragma once
/// One line per case of an op: what the generic tests of op_cases_test64.cpp and
/// composites_test_both.cpp run.
#include <string>
#include <vector>

#include "tests/oracles/gradient_check.h"

namespace attend::ATTEND_PRECISION::oracles {

/// An input of a case: uniform values in [low, high).
struct CaseInput {
    CaseInput(std::initializer_list<int64_t> sizes) : shape(sizes) {}
    CaseInput(const Shape& s, double low_ = -1, double high_ = 1) : shape(s), low(low_), high(high_) {}
    Shape shape;
    double low = -1, high = 1;
};

/// Whether every input's gradient must have an element that is not zero, or all of them are zero
/// (or have no element).
enum class Expected { gradient, no_gradient };

struct OpCase {
    using Function = Tensor (*)(Inputs);
    std::string name;
    std::vector<CaseInput> inputs;
    Shape output;
    Function function;
    Function composite = nullptr;  ///< the same out of simpler ops
    Expected expected = Expected::gradient;
};

/// Every case, those of the lists below included.
const std::vector<OpCase>& op_cases();
std::vector<OpCase> fused_op_cases();
std::vector<OpCase> recurrent_op_cases();
std::vector<OpCase> transformer_op_cases();
std::vector<OpCase> alignment_op_cases();
std::vector<OpCase> linear_op_cases();

/// The inputs of a case, always the same values.
std::vector<Tensor> inputs_of(const OpCase& c);

}  // namespace attend::ATTEND_PRECISION::oracles
