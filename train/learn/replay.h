#pragma once
/// Repeats the step of a bundle: what `attend check BUNDLE` does, in the precision of the run or in
/// double (train/study/in_double.h).
#include "train/learn/replayed.h"
#include "train/records/bundle.h"

namespace attend::ATTEND_PRECISION {

/// Repeats it with this model, whose store is filled from the bundle (and updated where the step is
/// finite). The shards are the run's; results do not depend on the threads. Throws Error as
/// BundleFile::load(), and as the model.
Replayed replay(const BundleFile& file, const Model& model, ParameterStore& store, int threads);
/// The same with the model of the bundle's config.
Replayed replay(const BundleFile& file, int threads);

}  // namespace attend::ATTEND_PRECISION
