#pragma once
/// The one class for tasks with pairs of a source and a target text. Such tasks differ in their
/// data, not in code.
#include <array>
#include <functional>
#include <memory>

#include "data/packed.h"
#include "data/task.h"
#include "data/text/tokenizer.h"

namespace attend {

struct PairSplit {
    Texts source_text, target_text;  ///< in the tokenizers' normal form
    Sequences source, target;        ///< the same as ids
    Packed<Range> gold;              ///< a range for each target symbol; empty: not known
    /// For the first example of each source the examples with that source, itself included; nothing
    /// for the others. Empty: every example counts for itself.
    Packed<int32_t> same_source;
    LongestExample longest;  ///< note_longest()
};

/// Keeps an example's lengths and the places of its sides if it is the longest of the split so far.
void note_longest(PairSplit& split, int64_t source, int64_t target, FunctionRef<std::string()> source_place,
                  FunctionRef<std::string()> target_place);

/// Everything a pair task is.
struct PairTask {
    std::string name;
    std::shared_ptr<const Tokenizer> source, target;
    std::array<PairSplit, 3> splits;  ///< by Split
    std::vector<std::string> metrics;
    std::vector<TargetPart> parts;   ///< Task::target_parts
    std::vector<std::string> notes;  ///< further lines of describe()
    /// Turns a line to translate into what `source` cuts; null: the line as it is.
    std::function<std::string(std::string_view line, const Place& place)> source_line;
    /// decode_limit(n) = limit_factor * n + limit_constant.
    int64_t limit_factor = 1, limit_constant = 1;
    bool learned_vocabularies = false;  ///< save() writes them

    PairSplit& split(Split s) { return splits[static_cast<std::size_t>(s)]; }
};

/// Fills split.same_source: examples whose source texts are equal belong together.
void group_by_source(PairSplit& split);

/// Files that save() writes for learned vocabularies.
constexpr const char* source_vocabulary_file = "source_vocabulary.txt";
constexpr const char* target_vocabulary_file = "target_vocabulary.txt";

std::unique_ptr<Task> make_task(PairTask pairs);

}  // namespace attend
