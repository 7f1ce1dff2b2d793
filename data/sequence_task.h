#pragma once
/// The one class for tasks of rows without a source, in which each position may have a target: what
/// a language model reads and is to answer. (Running text, whose targets are what comes next, is in
/// tasks/running_text.h.)
#include <array>
#include <memory>

#include "data/packed.h"
#include "data/task.h"
#include "data/text/tokenizer.h"

namespace attend {

struct SequenceSplit {
    Sequences input, target;  ///< ids; target i is that of position i, id_ignored where there is none
    Packed<Range> gold;       ///< for each target that is not ignored, in their order; empty: not known
    LongestExample longest;
};

/// Everything a task of rows is.
struct SequenceTask {
    std::string name;
    std::shared_ptr<const Tokenizer> symbols;  ///< with ids of its own (Specials::own), of what is read and of targets
    std::array<SequenceSplit, 3> splits;       ///< by Split
    std::vector<std::string> metrics;
    std::vector<std::string> notes;  ///< further lines of describe()

    SequenceSplit& split(Split s) { return splits[static_cast<std::size_t>(s)]; }
};

/// The source text of an example is what is read, the target text its targets without the ignored
/// ones. The gold alignment is of positions of the row itself, empty where there is no target.
std::unique_ptr<Task> make_task(SequenceTask sequences);

}  // namespace attend
