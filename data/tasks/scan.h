#pragma once
/// scan: commands to actions, in the format of SCAN (Lake and Baroni 2018, "Generalization without
/// systematicity"): a line is "IN: jump twice OUT: I_JUMP I_JUMP". Both sides are cut at white space.
///
/// The published splits have a training and a test file. Without a file for validation a share of the
/// training lines is validation, evenly spaced over the file: of lines that are written several times,
/// as "jump" alone in the split addprim_jump, both then have some.
#include "data/file_pairs.h"

namespace attend {

struct ScanOptions : SplitFiles<std::string>, PairVocabulary, PairLimits {
    double valid_fraction = 0.1;
    void fields(Visitor& v) {
        v.path("train", train, "file of the training lines (IN: command OUT: actions), plain or packed");
        v.path("valid", valid, "file for validation; without it some of the training lines");
        v.path("test", test, "file for the test");
        v.number("valid_fraction", valid_fraction, {0, 0.999},
                 "share of the training lines, evenly spaced, that validates where 'valid' names no file; 0: none");
        PairVocabulary::fields(v);
        PairLimits::fields(v);
    }
};

/// A line to translate is the command alone. Throws Error as file_pairs_task() does, and for: no
/// training file when data are loaded; a missing, empty or broken file; a line of another form or
/// without symbols on a side.
std::unique_ptr<Task> scan_task(const ScanOptions& options, const TaskSetup& setup);

}  // namespace attend
