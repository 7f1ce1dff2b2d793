#pragma once
/// The measurements of attend lab. They run in double (train/study/in_double.h).
#include "train/experiment/experiment.h"
#include "train/study/lab/lab.h"

namespace attend::ATTEND_PRECISION {

/// Measures at every place. `saved` is the vocabularies' folder of a run ("": none). Throws Error
/// for a model without hard attention, for an estimator that is not known, and as task, model and
/// checkpoint do.
lab::Report measure_estimators(const Experiment& experiment, const std::string& saved, const std::vector<lab::Place>& places,
                               const lab::Setup& setup);

}  // namespace attend::ATTEND_PRECISION
