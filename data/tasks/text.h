#pragma once
/// text: running text in windows for language models (data/windows.h).
#include "data/task.h"
#include "data/text/tokenizer.h"

namespace attend::inline ATTEND_PRECISION {

struct TextOptions {
    std::vector<std::string> path{}, train{}, valid{}, test{};
    double valid_fraction = 0.1;
    Selection tokenizer{tokenizer_table(), "char"};
    std::string order = "random";
    int64_t context = 0;
    int64_t min_count = 1;
    int64_t max_vocabulary = 0;
    void fields(Visitor& v) {
        v.paths("path", path, "text to be cut into training and validation part: files or patterns as *.txt, .gz or plain");
        v.paths("train", train, "training text, in place of 'path'");
        v.paths("valid", valid, "validation text, beside 'train'");
        v.paths("test", test, "text for the test");
        v.number("valid_fraction", valid_fraction, {0, 0.999}, "share of 'path' at its end that validates");
        v.selection("tokenizer", tokenizer, "what text is cut into");
        v.choice("order", order, {"random", "sequential"},
                 "random: training windows begin anywhere; sequential: one behind the other, as anyone can reproduce them");
        v.integer("context", context, {0, 1 << 20}, "targets in a window, 0: the model's context");
        v.integer("min_count", min_count, {1, int64_t{1} << 40}, "symbols seen less often in training are unknown");
        v.integer("max_vocabulary", max_vocabulary, {0, int64_t{1} << 30}, "most frequent symbols that get an id, 0: all");
    }
};

/// The file that save() writes.
constexpr const char* tokenizer_file = "tokenizer.txt";

/// Ids are the tokenizer's alone (Specials::own). Parts are encoded for themselves, and so are files. An example is an
/// evaluation window (count_windows); its target text is that of its targets. With a tokenizer that is exact, bits_per_byte is
/// among the metrics. Throws Error for: neither 'path' nor 'train', or both; 'valid' without 'train'; a context neither in the
/// options nor in the setup, or longer than the setup's; a training part shorter than a window; a part for validation or test
/// of fewer than two tokens; what Corpus and the tokenizer refuse.
std::unique_ptr<Task> text_task(const TextOptions& options, const TaskSetup& setup);

}  // namespace attend::inline ATTEND_PRECISION
