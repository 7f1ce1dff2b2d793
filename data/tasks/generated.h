#pragma once
/// What the generated tasks share. An example is a function of (seed, split, number) alone.
///
/// The splits never share a value: every value an example can be about (a calendar date, a sequence
/// of symbols) belongs to one split for good, by its hash and whatever the seed: eight tenths of
/// all values to train, one tenth each to valid and test. A test example therefore never occurs in
/// the training data of any seed. Within a split values may repeat.
///
/// Test examples can be longer (or shorter) than what training shows: options that begin with
/// "test_" are the test split's own, auto is what training has. Validation has the lengths of
/// training.
#include <optional>

#include "core/base/function_ref.h"
#include "core/base/random.h"
#include "data/pair_task.h"
#include "data/sequence_task.h"

namespace attend {

struct GeneratedOptions {
    int64_t train_examples = 20000;
    int64_t valid_examples = 1000;
    int64_t test_examples = 1000;
    int64_t test_seed = 0;  ///< 0: the run's
    void fields(Visitor& v) {
        v.integer("train_examples", train_examples, {1, 10'000'000}, "training examples to generate");
        v.integer("valid_examples", valid_examples, {0, 10'000'000}, "validation examples, 0: no such split");
        v.integer("test_examples", test_examples, {0, 10'000'000}, "test examples, 0: no such split");
        v.integer("test_seed", test_seed, {1, int64_t{1} << 53, "auto"},
                  "seed of the test examples, so that runs with other seeds are tested on the same ones; auto: the run's seed");
    }
};

/// Sizes that are drawn uniformly, both ends included.
struct LengthRange {
    int64_t least = 1, most = 1;
    int64_t draw(Stream& stream) const;
};
/// `count` different ids of a range, in the order of drawing; each as likely as any other. There must
/// be so many.
std::vector<int32_t> draw_different(Stream& stream, int64_t count, Range from);

/// What an option of the test is: its own value, or where that is 0 (auto) the one of training.
inline int64_t own_or(int64_t test, int64_t training) { return test > 0 ? test : training; }

/// The sizes of each split's examples.
struct SplitLengths {
    LengthRange training, test;
    const LengthRange& of(Split split) const { return split == Split::test ? test : training; }
};
/// Of the options "min_UNIT", "max_UNIT", "test_min_UNIT" and "test_max_UNIT" (0: auto) of a task.
/// Throws Error when the least is more than the most.
SplitLengths split_lengths(const char* task, const char* unit, LengthRange training, LengthRange test);

/// Throws Error when the examples, of up to `symbols_each` target symbols each and
/// `test_symbols_each` in the test, have more than 2^30 symbols in all.
void require_amount(const char* name, const GeneratedOptions& options, int64_t symbols_each, int64_t test_symbols_each);

/// The split that a value belongs to.
Split split_of(std::string_view value);

struct GeneratedExample {
    std::string value;           ///< what split_of() looks at
    std::string source, target;  ///< text
    std::vector<Range> gold;     ///< for each target symbol; empty: not known, for all examples of the task
    std::optional<Split> only;   ///< the one split it may be in; none: that of its value
};

/// Fills the splits of `task`, which has its tokenizers: draws an example for the split from the
/// stream (seed, "NAME.SPLIT.NUMBER"), of the test split (test_seed, ...) where that is given, until
/// the value belongs to the split. Throws Error when 10,000 draws in a row do not: then the space of
/// values is too small to be divided.
void generate(PairTask& task, const GeneratedOptions& options, const TaskSetup& setup,
              FunctionRef<GeneratedExample(Stream&, Split)> draw);

/// A row of a task without a source (data/sequence_task.h).
struct GeneratedRow {
    std::string value{};            ///< what split_of() looks at
    std::vector<int32_t> input{};   ///< ids
    std::vector<int32_t> target{};  ///< as many, id_ignored where there is none
    std::vector<Range> gold{};      ///< for each target that is not ignored
    std::optional<Split> only{};    ///< the one split it may be in; none: that of its value
};
/// Ids as a value.
std::string value_of(std::span<const int32_t> ids);

/// The same for a task of rows.
void generate(SequenceTask& task, const GeneratedOptions& options, const TaskSetup& setup,
              FunctionRef<GeneratedRow(Stream&, Split)> draw);

}  // namespace attend
