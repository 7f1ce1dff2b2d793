#pragma once
/// recall: multi-query associative recall (MQAR; Arora et al. 2023, "Zoology: measuring and
/// improving recall in efficient language models", section 4 and the appendix on its data), for
/// language models. A row first shows pairs of a key and its value, then asks for each key once,
/// with filler in between:
///
///     input   k7 v2 k4 v9  _  _ k4  _  _  _ k7  _
///     target   .  .  .  .  .  . v9  .  .  . v2  .      (. has no loss and is not counted)
///
/// With a vocabulary of V symbols, id 0 is the filler "_", ids 1 ... V/2 - 1 are keys, V/2 ... V - 1
/// values. A row has P different keys and P different values. What follows the pairs is cut into
/// places of two positions, n = (length - 2 P) / 2 of them; the keys are asked for at P different
/// places, each at the first position of its place. Places are drawn one after the other, without
/// replacement, place i = 1 ... n with a probability proportional to i^(power - 1): a power law as
/// that of the distance at which words return in text; at power 1 all places are equally likely.
/// As published, places are counted from the end of the pairs, so that the first pair's key tends to
/// be asked for first.
///
/// Gold alignment: the position of the value in its pair. The same pairs in the same order, asked
/// for at the same places, belong to one split.
#include "data/tasks/generated.h"

namespace attend {

struct RecallOptions {
    GeneratedOptions examples;
    int64_t vocabulary = 8192;
    int64_t pairs = 4;
    int64_t length = 64;
    int64_t test_pairs = 0, test_length = 0;
    double power = 0.01;
    bool random_filler = false;
    void fields(Visitor& v) {
        examples.fields(v);
        v.integer("vocabulary", vocabulary, {4, 1'000'000}, "symbols: a filler, keys (the first half) and values");
        v.integer("pairs", pairs, {1, 16384}, "pairs of a key and its value in a row, each asked for once");
        v.integer("length", length, {4, 65536}, "symbols in a row, at least four a pair");
        v.integer("test_pairs", test_pairs, {1, 16384, "auto"}, "pairs in a row of the test; auto: pairs");
        v.integer("test_length", test_length, {4, 65536, "auto"}, "symbols in a row of the test; auto: length");
        v.number("power", power, {0.001, 1},
                 "place i after the pairs asks for a key with a probability proportional to i^(power - 1); 1: all places are "
                 "equally likely");
        v.flag("random_filler", random_filler,
               "whether filler is drawn from the whole vocabulary; else it is always the same symbol");
    }
};

/// Throws Error when queries do not fit into a row, when there are fewer keys than pairs, or when the
/// data would be too large.
std::unique_ptr<Task> recall_task(const RecallOptions& options, const TaskSetup& setup);

}  // namespace attend
