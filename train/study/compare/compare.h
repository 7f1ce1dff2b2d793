#pragma once
/// A comparison from config to table: what `attend compare` does.
#include "train/records/record_writer.h"
#include "train/records/resume.h"
#include "train/study/compare/jobs.h"
#include "train/study/compare/prepare.h"

namespace attend::compare {

struct Compared;

struct CompareRequest {
    Comparison comparison;
    std::string folder;                    ///< DIR; runs go to DIR/VARIANT/seed-N
    int threads = 1;                       ///< of all runs together
    Existing existing = Existing::resume;  ///< resume: finished runs are kept and others continue; overwrite: all begin again
    Extend extend = Extend::no;            ///< whether finished runs of fewer steps go on to those that are asked for
    std::chrono::milliseconds patience{120'000};  ///< how long to wait for runs of a comparison that was killed
    Observer* observer = &no_observer();          ///< receives the progress
    std::function<int()> stop;                    ///< the signal to stop by, 0: go on
    StartJob start = start_process;
    /// Called while the folder is held, before compare.json is written: where a page is made of the
    /// table. Where compare.json is, the page is, too.
    std::function<void(const Compared&)> compared;
};

struct Compared {
    Result table;
    RecordWriter json;  ///< what compare.json says; without members where it was stopped
    std::vector<VariantRecord> records;
    bool stopped = false;  ///< by a signal, after the runs under way were saved
    int64_t begun = 0;     ///< runs that were started now
};

/// compare.json: the table of a comparison for programs; the table alone.
RecordWriter json_of(const Result& table);
/// With what each variant changed, each run's state, and the seconds and steps it took.
RecordWriter json_of(const Comparison& comparison, const Prepared& prepared, const std::vector<VariantRecord>& records,
                     const Result& table);

/// Runs what is missing and writes DIR/compare.json and DIR/compare.html. Nothing is run, and
/// nothing in DIR changed, before all variants are built. Waits for runs in DIR that are still
/// being saved. Throws Error as prepare(), look() and wait_until_free(), and for a folder that is a
/// training run's or in which another comparison runs; MachineError.
Compared run_comparison(const CompareRequest& request);

}  // namespace attend::compare
