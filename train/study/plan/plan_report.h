#pragma once
#include "train/records/record_writer.h"
#include "train/study/plan/plan.h"

namespace attend::plan {

/// For people.
std::string text_of(const Plan& plan);
/// For programs: the same as one object, with "seconds" and "peak_memory_mib" as in summary.json.
RecordWriter json_of(const Plan& plan);

}  // namespace attend::plan
