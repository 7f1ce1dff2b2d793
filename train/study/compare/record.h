#pragma once
/// The results of runs as a comparison reads them: the lines of metrics.jsonl and how the run
/// ended.
#include <filesystem>
#include <string>
#include <vector>

#include "train/records/run_folder.h"
#include "train/study/compare/examples.h"

namespace attend::compare {

/// A line of metrics.jsonl.
struct Line {
    Split split = Split::train;
    int64_t step = 0;
    double seconds = 0;
    double targets = 0;  ///< trained on so far: of evaluations, between the training lines around; NaN where not counted
    Scores scores;       ///< all numbers but step, seconds and targets
};

/// How far a run has come.
enum class Ending {
    missing,     ///< it has not been begun
    unfinished,  ///< stopped, killed, or under way
    finished,
    diverged,
    failed,  ///< its process ended with an error
};
const char* ending_name(Ending ending);

struct RunRecord {
    int64_t seed = 0;
    Ending ending = Ending::missing;
    std::string message;  ///< why it failed or diverged
    int64_t steps = 0;    ///< done
    double seconds = 0;
    std::string program = {};               ///< version and commit of what wrote its summary
    std::string exploded = {};              ///< summary.json's loss_exploded as JSON; "" where it has none
    std::string extended = {};              ///< summary.json's extended as JSON; "" where it has none
    std::vector<Line> lines;                ///< in the order of the file
    std::optional<Examples> examples = {};  ///< of what is compared: with_examples()
    /// Of what is compared, of the examples that count: where with_examples() is told to keep it.
    std::optional<ExampleScores> scores = {};
};

/// The runs of one variant, a seed each, in the order of the seeds.
struct VariantRecord {
    std::string name;
    std::vector<RunRecord> runs;
};

/// Reads metrics.jsonl and summary.json of a run's folder; one that is not there is `missing`. A
/// last line that is cut is left out. Throws Error naming file and line for any other line that is
/// not one of metrics.
RunRecord read_run(const std::filesystem::path& folder, int64_t seed);

/// The run with what its examples came to in the last value of `metric` on `split`, where it has kept
/// it, and with the scores themselves where `keep` says so. Throws Error as read_examples().
RunRecord with_examples(RunRecord run, const std::filesystem::path& folder, Split split, const std::string& metric,
                        KeepScores keep = KeepScores::no);

/// The lines of the text of a metrics.jsonl; `where` names it.
std::vector<Line> read_lines(const std::string& text, const std::string& where);

/// The step of the last complete line of metrics.jsonl in `folder`, 0 where there is none. Reads
/// the end of the file alone.
int64_t step_reached(const std::filesystem::path& folder);

}  // namespace attend::compare
