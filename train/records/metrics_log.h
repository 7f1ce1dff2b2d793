#pragma once
/// The numbers that a run writes line by line: metrics.jsonl and event files.
#include <optional>

#include "train/records/run_folder.h"
#include "train/records/tensorboard.h"

namespace attend {

/// Whether event files are written beside metrics.jsonl.
enum class Events { no, yes };

class MetricsLog {
  public:
    /// Opens metrics.jsonl for appending and, if asked, begins an event file; `resumed_after` as
    /// EventFile's. Throws Error when a file cannot be opened, MachineError when it cannot be
    /// written.
    MetricsLog(const RunFolder& folder, Events events, std::optional<int64_t> resumed_after);
    /// `scores` of a split after `step` steps and `seconds` of the run. Throws MachineError when a
    /// file cannot be written.
    void write(Split split, int64_t step, double seconds, const Scores& scores);
    /// Brings all lines to the disk. Throws MachineError when that fails.
    void synchronise();

  private:
    LineFile lines_;
    std::optional<EventFile> events_;
};

}  // namespace attend
