#pragma once
/// Checks gradients against central differences: for a random cotangent c and L = sum(c f(x)),
///     dL/dx_i is compared with (L(x + h e_i) - L(x - h e_i)) / 2h
/// for every element of every input. Meant for double: in float the differences are
/// mostly rounding.
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "core/parameters.h"
#include "core/tensor.h"

namespace attend::ATTEND_PRECISION::oracles {

using Inputs = std::span<const Tensor>;

struct GradientCheck {
    std::vector<Tensor> inputs;  ///< values; undefined ones are handed on as they are
    std::function<Tensor(Inputs)> function;
    ParameterStore* store = nullptr;  ///< its trainable parameters are checked too; their values come back unchanged
    double tolerance = 1e-6;          ///< of the larger number and 1e-3 of the input's largest gradient together
    double step = 1e-5;               ///< h, times max(1, |x_i|)
    uint64_t seed = 1;                ///< of the cotangent
};

enum class Verdict { agrees, differs, all_zero };

/// The worst element found.
struct GradientReport {
    Verdict verdict = Verdict::agrees;
    std::string input;  ///< "input 1" or the parameter's name
    int64_t element = 0;
    double engine = 0;      ///< the engine's gradient there
    double difference = 0;  ///< the central difference there
    double error = 0;       ///< of the tolerance: more than 1 differs

    /// "input 1, element 3: engine 0.5, central difference 0.25, ..."
    std::string text() const;
};

/// Runs the check. An input (or parameter) that has elements but whose gradient is zero everywhere,
/// for the engine and for the differences, is refused with Verdict::all_zero: such a case would
/// show nothing. Throws what the function throws.
GradientReport check_gradients(const GradientCheck& check);

/// A tensor of uniform values in [low, high) from the stream `name`.
Tensor uniform(const Shape& shape, const std::string& name, double low = -1, double high = 1);

}  // namespace attend::ATTEND_PRECISION::oracles
