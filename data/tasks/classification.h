#pragma once
/// classification: one or two columns of text to a label, from files with a tab between columns;
/// plain or gzip.
#include "data/task.h"
#include "data/text/tokenizer.h"

namespace attend {

struct ClassificationOptions : SplitFiles<std::string> {
    std::string text = "1", second{}, label = "2";
    bool header = false;
    Selection tokenizer{tokenizer_table(), "word"};
    int64_t context = 0;
    int64_t min_count = 1;
    int64_t max_vocabulary = 0;
    void fields(Visitor& v) {
        v.path("train", train, "file of the training rows, plain or packed");
        v.path("valid", valid, "file for validation");
        v.path("test", test, "file for the test");
        v.text("text", text, "column of the text: its number from 1, or its name in the header");
        v.text("second", second, "column of a second text, empty: there is none");
        v.text("label", label, "column of the label");
        v.flag("header", header, "whether the first line of each file names the columns");
        v.selection("tokenizer", tokenizer, "what text is cut into");
        v.integer("context", context, {0, 1 << 20}, "longest row, special tokens included, 0: the model's context");
        v.integer("min_count", min_count, {1, int64_t{1} << 40},
                  "tokenizer 'word': words seen less often in training are unknown");
        v.integer("max_vocabulary", max_vocabulary, {0, int64_t{1} << 30},
                  "tokenizer 'word': most frequent words that get an id, 0: all");
    }
};

/// The file of the labels' names that save() writes beside the tokenizer's.
constexpr const char* labels_file = "labels.txt";

/// A row of Batch::input is [CLS] TEXT [SEP], with a second column [CLS] TEXT [SEP] SECOND [SEP]
/// and segments 0 up to the first [SEP], 1 after; ids are the tokenizer's own, then those of
/// encoder_tokens that it does not have. A row longer than the context loses ids at the end of its
/// longer text until it fits (Devlin 2018); describe() says how many did. Batch::labels are the
/// classes: the labels of the training rows in ascending order of their bytes. Batch::target
/// predicts nothing. Texts of targets are names of classes, and so are the symbols of target ids. A
/// line to classify holds the text, or both with a tab between them.
///
/// Throws Error for: no training file when data are loaded; a missing, empty or broken file; a row
/// with another number of columns, an empty label, or one that no training row has (naming file and
/// line); a column that does not exist; fewer than two classes; a context neither in the options
/// nor in the setup, longer than the setup's, or without room for a token of each text; text that
/// the tokenizer refuses.
std::unique_ptr<Task> classification_task(const ClassificationOptions& options, const TaskSetup& setup);

}  // namespace attend
