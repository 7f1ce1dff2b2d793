#pragma once
/// compare.json: the table of a comparison for programs.
#include "train/records/record_writer.h"
#include "train/study/compare/prepare.h"

namespace attend::compare {

/// The table alone.
RecordWriter json_of(const Result& table);
/// With what each variant changed, each run's state, and the seconds and steps it took.
RecordWriter json_of(const Comparison& comparison, const Prepared& prepared, const std::vector<VariantRecord>& records,
                     const Result& table);

}  // namespace attend::compare
