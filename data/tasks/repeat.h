#pragma once
/// repeat: a sequence of numbers several times over. The source is a count and then the sequence,
/// "x3 5 2", the target the sequence that many times, "5 2 5 2 5 2". The gold alignment is exact;
/// it goes through the source again and again, so the model has to count. A sequence belongs to one
/// split whatever its count.
#include "data/tasks/symbols.h"

namespace attend {

struct RepeatOptions {
    SymbolOptions sequence;
    int64_t max_repeats = 4;
    void fields(Visitor& v) {
        sequence.fields(v);
        v.integer("max_repeats", max_repeats, {1, 1000}, "the counts are 1 ... max_repeats");
    }
};

/// Throws Error for lengths that are the wrong way round, or when the data would be too large.
std::unique_ptr<Task> repeat_task(const RepeatOptions& options, const TaskSetup& setup);

}  // namespace attend
