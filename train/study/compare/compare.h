#pragma once
/// A comparison from config to table: what `attend compare` does.
#include "train/study/compare/comparison.h"
#include "train/study/compare/jobs.h"
#include "train/study/compare/table.h"
#include "train/records/resume.h"

namespace attend::compare {

struct Compared;

struct CompareRequest {
    Comparison comparison;
    std::string folder;                    ///< DIR; runs go to DIR/VARIANT/seed-N
    int threads = 1;                       ///< of all runs together
    Existing existing = Existing::resume;  ///< resume: finished runs are kept and others go on; overwrite: all begin anew
    Extend extend = Extend::no;            ///< whether finished runs of fewer steps go on to those that are asked for
    std::chrono::milliseconds patience{120'000};  ///< how long to wait for runs of a comparison that was killed
    Observer* observer = nullptr;                 ///< is told how it goes; none: nobody is
    std::function<int()> stop;                    ///< the signal to stop by, 0: go on
    StartJob start = start_process;
    /// Called when compare.json was written and the folder is still held: where a page is made of it.
    std::function<void(const Compared&)> compared;
};

/// One run of a comparison before it is run.
struct Planned {
    std::size_t variant = 0, seed = 0;  ///< numbers in the comparison
    std::filesystem::path folder;
    Experiment experiment;  ///< as asked for, with its seed and name
};

/// A comparison whose experiments have all been built once.
struct Prepared {
    std::vector<Experiment> resolved;  ///< of each variant, with the first seed
    std::vector<int64_t> parameters;   ///< of each variant
    Settings settings;
    std::vector<Planned> runs;  ///< all variants of the first seed, then of the second, ...
    /// What of a variant makes its batches others than the reference's (data, train.batch, ...); "" where none does.
    std::vector<std::string> other_batches;
};

/// Builds task and model of every variant as a run does, and chooses the metric and the split. Throws Error naming config and
/// variant where one cannot be begun, a metric that some variant does not measure, a split that one has not.
Prepared prepare(const Comparison& comparison, const std::string& folder);

struct Compared {
    Result table;
    Json json;             ///< what compare.json says; null where it was stopped
    std::vector<VariantRecord> records;
    bool stopped = false;  ///< by a signal, after the runs under way were saved
    int64_t begun = 0;     ///< runs that were started now
};

/// Runs what is missing and writes DIR/compare.json and DIR/compare.html. Nothing is run, and nothing in DIR changed, before
/// all variants are built. Waits for runs in DIR that are still being saved. Throws Error as prepare(), look() and
/// wait_until_free(), and for a folder that is a training run's or in which another comparison runs; MachineError.
Compared run_comparison(const CompareRequest& request);

/// The table as JSON with what each variant changed, each run's state, and the seconds and steps it took.
Json json_of(const Comparison& comparison, const Prepared& prepared, const std::vector<VariantRecord>& records,
             const Result& table);

}  // namespace attend::compare
