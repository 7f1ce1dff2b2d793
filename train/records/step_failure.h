#pragma once
/// A step that diverged, in words and numbers: part of a bundle (train/records/bundle.h).
#include <optional>
#include <string>

#include "core/base/error.h"
#include "core/base/trace.h"

namespace attend {

/// How a step failed.
struct StepFailure {
    std::string message;             ///< "step 41: encoder.rnn: output is not finite: op 'linear', ..."
    std::optional<NotFinite> found;  ///< none where a sum over shards or parameters made it
    double loss = 0;                 ///< nats, mean per target, as the step saw it
    double gradient_norm = 0;
};

}  // namespace attend
