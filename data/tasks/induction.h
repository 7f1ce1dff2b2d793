#pragma once
/// induction: a random text followed by itself, again and again, for language models. What comes
/// next is known from the second time on: it is the symbol after the place where the current one
/// stood before. An attention head that looks there is an induction head (Olsson et al. 2022,
/// "In-context learning and induction heads"):
///
///     input    7  3  9  4  7  3  9  4  7
///     target   .  .  .  .  3  9  4  7  3      (. has no loss and is not counted)
///
/// The text's symbols are all different, so that one symbol alone tells the place. Its length (the
/// period n) is drawn, so that looking back by a fixed distance does not help. The first target is
/// that of position n, whose symbol is the first that was there before.
///
/// Gold alignment: in the second copy of the text the position after the same place in the first
/// one, t - n + 1 for position t. In later copies there are several such positions: not known. A
/// text belongs to one split.
#include "data/tasks/generated.h"

namespace attend {

struct InductionOptions {
    GeneratedOptions examples;
    int64_t vocabulary = 64;
    int64_t min_period = 20, max_period = 40;
    int64_t length = 64;
    int64_t test_min_period = 0, test_max_period = 0, test_length = 0;
    void fields(Visitor& v) {
        examples.fields(v);
        v.integer("vocabulary", vocabulary, {2, 1'000'000},
                  "symbols that the texts are made of, at least as many as a text has");
        v.integer("min_period", min_period, {2, 32768}, "symbols of the shortest text");
        v.integer("max_period", max_period, {2, 32768}, "symbols of the longest text");
        v.integer("length", length, {3, 65536}, "symbols in a row, more than in the longest text");
        v.integer("test_min_period", test_min_period, {2, 32768, "auto"},
                  "symbols of the test's shortest text; auto: min_period");
        v.integer("test_max_period", test_max_period, {2, 32768, "auto"},
                  "symbols of the test's longest text; auto: max_period");
        v.integer("test_length", test_length, {3, 65536, "auto"}, "symbols in a row of the test; auto: length");
    }
};

/// Throws Error for periods that are the wrong way round, rows in which a text does not come again,
/// fewer symbols than a text has, or when the data would be too large.
std::unique_ptr<Task> induction_task(const InductionOptions& options, const TaskSetup& setup);

}  // namespace attend
