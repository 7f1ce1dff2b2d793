#pragma once
/// parallel: two text files, line n of one the source of line n of the other; plain or packed.
#include "data/file_pairs.h"

namespace attend {

struct ParallelOptions : SplitFiles<std::vector<std::string>>, PairUnits, PairVocabulary, PairLimits, PairScoring {
    void fields(Visitor& v) {
        v.paths("train", train, "source and target file of the training pairs, plain or packed");
        v.paths("valid", valid, "source and target file for validation");
        v.paths("test", test, "source and target file for the test");
        PairUnits::fields(v);
        PairVocabulary::fields(v);
        PairLimits::fields(v);
        PairScoring::fields(v);
    }
};

/// Throws Error as file_pairs_task() does, and for: a split that is not two files (train is needed
/// when data are loaded); a missing, empty or broken file; files with different counts of lines.
std::unique_ptr<Task> parallel_task(const ParallelOptions& options, const TaskSetup& setup);

}  // namespace attend
