#pragma once
/// A comparison by several processes, on any machines that share its folder: what `attend compare
/// --join` and `--task` do.
#include "train/study/compare/claims.h"
#include "train/study/compare/compare.h"

namespace attend::compare {

/// How a process works with others.
struct Joining {
    std::optional<int64_t> task;                         ///< this run alone: its number in runs_of(), from 1
    std::chrono::milliseconds renew{default_renew};      ///< how often it shows that it lives
    std::chrono::milliseconds silence{default_silence};  ///< after which another is taken for dead
};

struct Joined {
    Compared compared;              ///< with a table when all runs have come to their end
    int64_t open = 0;               ///< runs that have not: there is no table
    Ending task = Ending::missing;  ///< how the run of Joining::task is now
    std::string message;            ///< why it failed, or who has it
};

/// Takes a run that nobody has, trains it, takes the next. Of a process that died it takes over the
/// run and continues it. When none is left it waits for the others, so that each ends with the same
/// table; with a task it does not wait. A run that failed is tried once more by a process that
/// begins after that. Existing::overwrite and extensions are not for several processes: throws
/// MachineError. Throws Error as run_comparison() does; for a task that is not there.
Joined join_comparison(const CompareRequest& request, const Joining& joining);

/// One run of a comparison as it stands, for `attend compare --list`.
struct ListedRun {
    int64_t task = 0;  ///< from 1
    std::string variant;
    int64_t seed = 0;
    std::filesystem::path folder;
    Ending ending = Ending::missing;
    int64_t step = 0;     ///< reached
    std::string holder;   ///< who trains it: "node7, process 4711"; "" for nobody
    std::string message;  ///< why it failed or diverged
};
/// Reads what is there and builds nothing.
std::vector<ListedRun> runs_of(const Comparison& comparison, const std::filesystem::path& root);
std::string text_of(const std::vector<ListedRun>& runs);
std::vector<RecordWriter> json_of(const std::vector<ListedRun>& runs);

}  // namespace attend::compare
