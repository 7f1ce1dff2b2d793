#pragma once
/// The result of repeating the step of a bundle.
#include <string>
#include <vector>

#include "train/records/record_writer.h"
#include "train/records/step_failure.h"

namespace attend {

/// The largest weight before the step: it shows whether an earlier update had already diverged.
struct LargestWeight {
    std::string name;  ///< of the parameter; "" without any
    int64_t element = 0;
    double value = 0;  ///< the first that is not finite, if there is one
};

struct Replayed {
    enum class Verdict {
        reproduced,  ///< it fails in the recorded module and op, in the same pass
        differs,     ///< it fails elsewhere
        finite,      ///< it does not fail
    };
    Verdict verdict = Verdict::finite;
    StepFailure recorded;
    StepFailure now;  ///< where it is finite: without a message, with its loss and norm
    /// Rows of the batches that fail when each is taken alone, and their examples; empty where only
    /// their sum does.
    std::vector<int64_t> rows, examples;
    LargestWeight largest;
    std::string name, recorded_precision, precision;  ///< "f32" or "f64": of the run, and of this
    int64_t step = 0;                                 ///< from 1
    int64_t batch_rows = 0, shards = 0, seed = 0;
};

/// Some lines to read, and the verdict.
std::string text_of(const Replayed& replayed);
RecordWriter json_of(const Replayed& replayed);

}  // namespace attend
