#pragma once
/// Checks the gradients of an experiment's own model on its own data against central differences.
/// Runs in double (train/study/in_double.h): in float the differences are mostly rounding.
#include "train/experiment/experiment.h"
#include "train/study/plan/gradient_report.h"

namespace attend::ATTEND_PRECISION {

/// With L the objective on the batch (training mode: dropout is on, its draws stay the same) and h
/// = 1e-5 max(1, |x|): the error of an element is |g - d| / (max(|g|, |d|) + floor), where floor is
/// a thousandth of the parameter's largest gradient and what rounding of L makes of d. Where it is
/// beyond the tolerance, h / 4, 4 h, h / 16 and h / 64 are tried too, as a difference over a kink
/// is no gradient.
/// Elements: the one of the largest gradient, then from the stream "check.NAME" by turns among
/// those with a gradient and among all. Results do not depend on the threads. Throws Error for a
/// batch without targets and as the task and model.
plan::GradientReport check_gradients(const Experiment& experiment, const plan::GradientCheckSetup& setup);

}  // namespace attend::ATTEND_PRECISION
