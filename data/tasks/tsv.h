#pragma once
/// tsv: one text file a split, columns with a tab between them; plain or packed.
#include "data/file_pairs.h"

namespace attend {

struct TsvOptions : SplitFiles<std::string>, PairUnits, PairVocabulary, PairLimits, PairScoring {
    std::string source = "1", target = "2";
    std::string join = " ";
    bool header = false;
    void fields(Visitor& v) {
        v.path("train", train, "file of the training rows, plain or packed");
        v.path("valid", valid, "file for validation");
        v.path("test", test, "file for the test");
        v.text("source", source,
               "source column: its number from 1, or its name in the header; several, joined, with commas between them");
        v.text("target", target, "target column: its number from 1, or its name in the header");
        v.text("join", join, "what stands between several source columns when they are joined");
        v.flag("header", header, "whether the first line of each file names the columns");
        PairUnits::fields(v);
        PairVocabulary::fields(v);
        PairLimits::fields(v);
        PairScoring::fields(v);
    }
};

/// Every row of a file has as many columns as its first line; columns that are neither source nor
/// target are not read. With several source columns a line to translate holds them with tabs
/// between them, or (a line without tabs) joined already. Throws Error as file_pairs_task() does,
/// and for: no training file when data are loaded; a missing, empty or broken file; a row with
/// another number of columns (naming file and line); a column that does not exist; several target
/// columns; a header that names a wanted column twice; a header and nothing else.
std::unique_ptr<Task> tsv_task(const TsvOptions& options, const TaskSetup& setup);

}  // namespace attend
