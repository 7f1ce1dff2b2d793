#pragma once
/// What a comparison would be, before it is: what `attend plan` says of one.
#include "train/study/compare/comparison.h"
#include "train/records/record_writer.h"

namespace attend::compare {

struct ForetoldVariant {
    std::string name;
    int64_t parameters = 0, steps = 0;
    double seconds = 0;  ///< of one run
};

struct Forecast {
    std::string name, metric, split;
    std::vector<int64_t> seeds;
    std::vector<ForetoldVariant> variants;
    int parallel = 1, threads_each = 1;
    double seconds = 0;          ///< of all runs together, side by side
    double peak_memory_mib = 0;  ///< of all processes together
};

/// Checks the comparison as compare does, then measures some steps and evaluations of every variant. Throws Error as prepare(),
/// and Diverged when the measured steps do.
Forecast foretell(const Comparison& comparison, int threads);

/// For people, and for programs.
std::string text_of(const Forecast& forecast);
RecordWriter json_of(const Forecast& forecast);

}  // namespace attend::compare
