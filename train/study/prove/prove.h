#pragma once
/// attend prove: properties of a user's own model, each tried on a few short rows of its own data.
/// `properties.h` has them; `subject.h` is what they are tried on.
#include <string>

#include "train/study/prove/properties.h"

namespace attend::prove {

/// The model of a config, with its data and its initial weights, pushed away from special values.
/// Throws Error as a run does before its first step.
Subject subject_of_config(const Experiment& asked, const std::string& path);
/// A run's best checkpoint, or a checkpoint. Throws Error as restore().
Subject subject_of_run(const std::string& path);

/// Tries all properties.
Report prove(const Subject& subject);

}  // namespace attend::prove
