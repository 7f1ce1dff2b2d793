#pragma once
/// The time and memory that a comparison will need: what `attend plan` prints for one.
#include "train/records/record_writer.h"
#include "train/study/compare/comparison.h"

namespace attend::compare {

struct EstimatedVariant {
    std::string name;
    int64_t parameters = 0, steps = 0;
    double seconds = 0;  ///< of one run
};

struct Estimate {
    std::string name, metric, split;
    std::vector<int64_t> seeds;
    double confidence = 0.95;
    std::vector<EstimatedVariant> variants;
    int parallel = 1, threads_each = 1;
    double seconds = 0;          ///< of all runs together, side by side
    double peak_memory_mib = 0;  ///< of all processes together
};

/// Checks the comparison as compare does, then measures some steps and evaluations of every
/// variant. Throws Error as prepare(), and Diverged when the measured steps do.
Estimate estimate(const Comparison& comparison, int threads);

/// For people, and for programs.
std::string text_of(const Estimate& estimate);
RecordWriter json_of(const Estimate& estimate);

}  // namespace attend::compare
