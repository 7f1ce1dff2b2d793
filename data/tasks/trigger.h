#pragma once
/// trigger: attention is needed at a few positions and disturbs at all others, for language models.
/// A row is "^", then symbols drawn from the alphabet, among them triggers "?". At a trigger the
/// target is the symbol before it, everywhere else it is the symbol itself, which the model has read
/// already: attention has nothing to add there.
///
///     input    ^  5  2  8  ?  1  7  7  3  ?  4
///     target   ^  5  2  8  8  1  7  7  3  3  4
///
/// Softmax weights sum to 1, so that a head cannot look at nothing. Any symbol may be the answer at a
/// trigger, so all of them have values that would show in the prediction; a head that has to be quiet
/// learns to look at "^", which is always the same: an attention sink. That softmax needs one where a
/// trigger switches between an answer and nothing is proven by Ran-Milo 2026 ("Attention sinks are
/// provably necessary in softmax transformers: evidence from trigger-conditional tasks"); that one
/// grows, in training on text that repeats the symbol before a trigger, is shown by Guo et al. 2024
/// ("Active-dormant attention heads"). Alignments whose weights may sum to less than 1 need none.
/// With `elsewhere` "nothing" the target elsewhere is always the symbol "-": then a large logit of "-"
/// can hide what attention adds, and a sink is of less use.
///
/// Gold alignment: at a trigger the position before it, elsewhere none. A row belongs to one split.
#include "data/tasks/generated.h"

namespace attend {

struct TriggerOptions {
    GeneratedOptions examples;
    int64_t symbols = 64;
    int64_t length = 32;
    int64_t test_length = 0;
    double triggers = 0.05;
    std::string elsewhere = "itself";
    void fields(Visitor& v) {
        examples.fields(v);
        v.integer("symbols", symbols, {2, 1'000'000}, "size of the alphabet, triggers and '^' apart");
        v.integer("length", length, {3, 65536}, "symbols in a row, '^' included");
        v.integer("test_length", test_length, {3, 65536, "auto"}, "symbols in a row of the test; auto: length");
        v.number("triggers", triggers, {0, 0.5}, "share of the positions that are triggers; a row has at least one");
        v.choice("elsewhere", elsewhere, {"itself", "nothing"},
                 "target at positions without a trigger: the symbol itself, or '-', always the same");
    }
};

/// Throws Error when the data would be too large, or when there are too few rows to divide them
/// between the splits.
std::unique_ptr<Task> trigger_task(const TriggerOptions& options, const TaskSetup& setup);

}  // namespace attend
