#pragma once
/// copy, reverse, sort: sequences of numbers whose target holds the same numbers in another order.
/// Every target symbol has one source position, so the gold alignment is exact. Symbols are the
/// words "0" ... "symbols - 1"; lengths are uniform over min_length ... max_length, in the test over
/// test_min_length ... test_max_length (before the division of the sequences between the splits,
/// generated.h).
#include "data/tasks/generated.h"

namespace attend {

struct SymbolOptions {
    GeneratedOptions examples;
    int64_t symbols = 20;
    int64_t min_length = 1;
    int64_t max_length = 12;
    int64_t test_min_length = 0, test_max_length = 0;
    void fields(Visitor& v) {
        examples.fields(v);
        v.integer("symbols", symbols, {1, 1'000'000}, "size of the alphabet");
        v.integer("min_length", min_length, {1, 4096}, "shortest sequence");
        v.integer("max_length", max_length, {1, 4096}, "longest sequence");
        v.integer("test_min_length", test_min_length, {1, 4096, "auto"}, "shortest sequence of the test; auto: min_length");
        v.integer("test_max_length", test_max_length, {1, 4096, "auto"},
                  "longest sequence of the test, which may be longer than training shows; auto: max_length");
    }
};

/// A random sequence of `symbols` symbols: a length, then symbols.
std::vector<int32_t> draw_symbols(Stream& stream, LengthRange lengths, int64_t symbols);
/// The lengths of each split. Throws Error for lengths that are the wrong way round, and as
/// require_amount() does for targets of up to `repeats` times the length.
SplitLengths sequence_lengths(const char* name, const SymbolOptions& options, int64_t repeats);
/// The words "0" ... "symbols - 1".
std::vector<std::string> number_words(int64_t symbols);
/// Appends a word, a blank before it unless it is the first.
void append_word(std::string& text, std::string_view word);

std::unique_ptr<Task> copy_task(const SymbolOptions& options, const TaskSetup& setup);
std::unique_ptr<Task> reverse_task(const SymbolOptions& options, const TaskSetup& setup);
/// Ascending; equal numbers keep their order.
std::unique_ptr<Task> sort_task(const SymbolOptions& options, const TaskSetup& setup);

}  // namespace attend
