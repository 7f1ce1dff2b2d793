#pragma once
/// What a gradient check was asked and what it found.
#include <string>
#include <vector>

#include "core/base/shape.h"
#include "train/records/record_writer.h"

namespace attend::plan {

struct GradientCheckSetup {
    int64_t rows = 4;      ///< of the first training batch
    int64_t elements = 5;  ///< checked of each parameter
    int64_t columns = 0;   ///< rows are cut to so many symbols; 0: as they are
    double seconds = 0;    ///< about so long at most: then fewer elements, evenly left out; 0: as long as it takes
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

/// A table, a line a parameter, and the verdict.
std::string text_of(const GradientReport& report);
RecordWriter json_of(const GradientReport& report);

}  // namespace attend::plan
