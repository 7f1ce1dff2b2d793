#pragma once
/// Checks the gradients of an experiment's own model on its own data against central differences. Meant for the double build:
/// in float the differences are mostly rounding.
#include <string>
#include <vector>

#include "train/run/assemble.h"
#include "train/run/numbers.h"

namespace attend::inline ATTEND_PRECISION::plan {

struct GradientCheckSetup {
    int64_t rows = 4;      ///< of the first training batch
    int64_t elements = 5;  ///< checked of each parameter
    double tolerance = 1e-6;
    int threads = 1;
    double scale = 1;  ///< multiplies the engine's gradients: a check of the check
};

/// One parameter and the worst of its checked elements.
struct CheckedParameter {
    enum class Verdict {
        agrees,
        differs,
        all_zero,  ///< for the engine and for the differences: nothing was shown
    };
    std::string name;
    Shape shape;
    int64_t checked = 0;    ///< elements
    int64_t element = 0;    ///< the worst, in the parameter's flat order
    double engine = 0;      ///< its gradient
    double difference = 0;  ///< (L(x + h) - L(x - h)) / 2h
    double error = 0;       ///< of the two: see check_gradients()
    Verdict verdict = Verdict::agrees;
};

struct GradientReport {
    std::vector<CheckedParameter> parameters;  ///< the trainable ones, in the order of the store
    std::size_t worst = 0;                     ///< the parameter of the largest error
    int64_t rows = 0, targets = 0;             ///< labels among the targets
    double loss = 0;                           ///< of the rows, as metrics.jsonl has it
    double tolerance = 0;
    bool passed = false;
};

/// With L the objective on the batch (training mode: dropout is on, its draws stay the same) and h = 1e-5 max(1, |x|): the
/// error of an element is |g - d| / (max(|g|, |d|) + floor), where floor is a thousandth of the parameter's largest gradient
/// and what rounding of L makes of d. Where it is beyond the tolerance, h / 4 and 4 h are tried too, as a difference over a
/// kink is no gradient. Elements: the one of the largest gradient, then from the stream "check.NAME" by turns among those with
/// a gradient and among all. Results do not depend on the threads. Throws Error for a batch without targets and as the task and
/// model.
GradientReport check_gradients(const Experiment& experiment, const GradientCheckSetup& setup);

/// A table, a line a parameter, and the verdict.
std::string text_of(const GradientReport& report);
Json json_of(const GradientReport& report);

}  // namespace attend::inline ATTEND_PRECISION::plan
