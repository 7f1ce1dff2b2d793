#pragma once
/// parallel: two text files, line n of one the source of line n of the other; plain or gzip.
#include "data/pair_task.h"

namespace attend::inline ATTEND_PRECISION {

struct ParallelOptions {
    std::vector<std::string> train, valid, test;  ///< each source and target file; valid and test may be empty
    Selection unit{tokenizer_table(), "word"};
    Selection source_unit{tokenizer_table(), "same"}, target_unit{tokenizer_table(), "same"};
    int64_t min_count = 1;
    int64_t max_vocabulary = 0;
    int64_t first = 0;
    int64_t max_length = 0;
    void fields(Visitor& v) {
        v.paths("train", train, "source and target file of the training pairs, .gz or plain");
        v.paths("valid", valid, "source and target file for validation");
        v.paths("test", test, "source and target file for the test");
        v.selection("unit", unit, "what text is cut into, on both sides");
        v.selection("source_unit", source_unit, "what sources are cut into");
        v.selection("target_unit", target_unit, "what targets are cut into");
        v.integer("min_count", min_count, {1, int64_t{1} << 40}, "symbols seen less often in training are unknown");
        v.integer("max_vocabulary", max_vocabulary, {0, int64_t{1} << 30},
                  "most frequent symbols that get an id on each side, 0: all");
        v.integer("first", first, {0, int64_t{1} << 40}, "training pairs to use, from the first on, 0: all");
        v.integer("max_length", max_length, {0, int64_t{1} << 30},
                  "training pairs with more symbols on a side are left out, counted and said, 0: none");
    }
};

/// Vocabularies come from the training pairs that `first` leaves (before max_length), or from setup.saved. Nothing but what
/// `first` and `max_length` name is left out; validation and test pairs never are.
/// Throws Error for: a split that is not two files (train is needed when data are loaded); a missing, empty or broken file;
/// files with different counts of lines; `first` beyond the last pair; invalid UTF-8; a pair with a side without symbols.
std::unique_ptr<Task> parallel_task(const ParallelOptions& options, const TaskSetup& setup);

}  // namespace attend::inline ATTEND_PRECISION
