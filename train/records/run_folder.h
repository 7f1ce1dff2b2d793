#pragma once
/// The folder of a run:
///
///     config.json      the experiment, fully resolved     summary.json   status and final metrics
///     metrics.jsonl    a line an object                   log.txt        what standard error said
///     samples.txt      decoded examples                   vocabulary/    what decoding needs, if the task learns it
///     checkpoints/     step-N/, and the links `last` and `best`      bundle.safetensors   a step that diverged
///     valid_scores.jsonl, test_scores.jsonl      what each example came to (records/example_scores.h)
///     maps/            attention of a few examples (records/maps.h) report.html    all of this as a page
///     events.out.tfevents.SECONDS.attend     metrics.jsonl for TensorBoard, a file for each time the run was continued
///
/// Other files may stand in it and in its folders. Files and links of these names alone are the
/// run's, and what is written half (partial_path() of core/base/own_files.h): nothing else is
/// removed or replaced, and nothing is written through a link.
#include <filesystem>
#include <string>
#include <vector>

#include "core/base/line_file.h"
#include "train/experiment/experiment.h"
#include "train/records/checkpoint.h"
#include "train/records/record_writer.h"
#include "train/records/run_lock.h"

namespace attend::ATTEND_PRECISION {

/// What to do about a run that is already in the folder.
enum class Existing { refuse, resume, overwrite };

/// How a run ended.
enum class Status { finished, stopped, diverged };
/// "finished", "stopped", "diverged".
const char* status_name(Status status);

/// A checkpoint's folder that could not be removed, and why.
struct NotRemoved {
    std::filesystem::path folder;
    std::string reason;
};

class RunFolder {
  public:
    explicit RunFolder(std::filesystem::path root) : root_(std::move(root)) {}

    const std::filesystem::path& root() const { return root_; }
    std::filesystem::path config() const { return root_ / "config.json"; }
    std::filesystem::path metrics() const { return root_ / "metrics.jsonl"; }
    std::filesystem::path summary() const { return root_ / "summary.json"; }
    std::filesystem::path log() const { return root_ / "log.txt"; }
    std::filesystem::path samples() const { return root_ / "samples.txt"; }
    /// What single examples came to (train/records/example_scores.h).
    std::filesystem::path scores(Split split) const;
    /// Attention maps by evaluation (train/records/maps.h), and the page that shows all
    /// (train/show/report/report.h).
    std::filesystem::path maps() const { return root_ / "maps"; }
    std::filesystem::path report() const { return root_ / "report.html"; }
    std::filesystem::path vocabulary() const { return root_ / "vocabulary"; }
    /// What a step that diverged was made of (train/records/bundle.h).
    std::filesystem::path bundle() const { return root_ / "bundle.safetensors"; }
    /// What attend lab measured at the run's checkpoints.
    std::filesystem::path lab() const { return root_ / "lab.json"; }
    /// The event files (train/records/tensorboard.h) in the order they were begun in, which is that
    /// of their names: readers go by it.
    std::vector<std::filesystem::path> events() const;
    /// Where to begin the next: named by `now`, seconds since 1970, or more where a file is there
    /// with that name or a later one.
    std::filesystem::path new_events(int64_t now) const;
    std::filesystem::path checkpoints() const { return root_ / "checkpoints"; }
    std::filesystem::path last() const { return checkpoints() / "last"; }
    std::filesystem::path best() const { return checkpoints() / "best"; }
    /// Folder of the checkpoint after `step` steps.
    std::filesystem::path step(int64_t step) const;

    /// The first file of a run that is there, relative to the folder; "" where there is none.
    std::string found() const;
    /// Why the folder does not bear the mark of a run, a config.json as write_config() writes it:
    /// "config.json is missing"; "" where it bears it.
    std::string not_ours() const;
    /// Throws Error when the root is something other than a folder, holds a run that is not to be
    /// touched (refuse), holds files of a run's names without its mark (refuse, overwrite), or
    /// anything in checkpoints/, maps/ or vocabulary/ without it (overwrite), or holds none to go
    /// on with (resume); when a link, folder or other kind of thing stands where the run needs
    /// another. Changes nothing.
    void check(Existing existing) const;
    /// Makes the folder where it is missing and keeps it for this process; removes what killed
    /// processes left half written. Throws Error when it cannot be made or written to, or when
    /// another process trains in it. What check() said before may have changed since: check again.
    RunLock lock() const;
    /// The same for a run that continues: where `last` is missing, as after copying without links,
    /// it is made to point to the newest complete checkpoint.
    RunLock lock_to_resume() const;
    /// Makes the folder ready for a new run: makes it where it is missing and removes the run in it
    /// (and nothing else). Killed at any moment, it leaves a folder that can be made ready again.
    /// To be called after check(). Throws Error when it cannot be made or written to, MachineError
    /// when a file of the run cannot be removed.
    void prepare_new() const;

    /// The experiment of the run. Throws Error when config.json is missing or broken.
    Experiment experiment() const;
    void write_config(const Experiment& experiment) const;
    /// Writes it again where it is missing or was changed; whether that was so.
    bool restore_config(const Experiment& experiment) const;

    /// Whether `last` points to a checkpoint (or to where one was).
    bool has_checkpoint() const { return std::filesystem::exists(std::filesystem::symlink_status(last())); }
    /// Names, sizes and CRC-32 of the vocabulary's files in one line, "" when the task saved none:
    /// part of every checkpoint.
    std::string vocabulary_seal() const;
    /// Throws Error naming both when the files are not those of `seal`: ids would silently mean
    /// other symbols.
    void check_vocabulary(const std::string& seal) const;

    /// Makes `last` (and `best`) point to step-N by renaming a new link over it, and brings it to
    /// the disk. Throws MachineError when the file system refuses.
    void link_last(int64_t step) const;
    void link_best(int64_t step) const;
    /// Removes the checkpoints that no link points to; the newest `keep` of them stay. Gives those
    /// that cannot be removed.
    std::vector<NotRemoved> remove_unlinked_steps(int64_t keep) const;
    /// The checkpoints' folders named step-N, by their steps.
    std::vector<std::filesystem::path> steps() const;
    /// Writes the checkpoint in a folder of another name and renames it to step-N; on the disk when
    /// it returns. Throws as save_checkpoint(), and MachineError when what stands there cannot be
    /// replaced.
    void save(const Checkpointed& trained, const Progressed& progressed) const;

    /// Cuts metrics.jsonl back to what came before a checkpoint: train lines of at most `step`
    /// steps, valid lines of at most `valid_step`, no test lines (a test follows the end of a run),
    /// and not a last line without its line feed; samples.txt to evaluations of at most
    /// `valid_step`; removes scores of examples of later evaluations. Throws Error naming file and
    /// line for a line that is not an object with `step` and `split`.
    void cut_back(int64_t step, int64_t valid_step) const;
    /// Removes the checkpoints of later steps, and makes `best` point to the best one so far: where
    /// that is not there any more, there is no `best` until the next.
    void cut_back_checkpoints(const Progressed& progressed) const;

    /// Writes summary.json, atomically.
    void write_summary(const RecordWriter& summary) const;
    /// Removes summary.json: a run that continues has no end any more. Throws MachineError when the
    /// file system refuses.
    void remove_summary() const;

  private:
    std::vector<std::pair<int64_t, std::filesystem::path>> step_folders() const;
    void make() const;
    void link_missing_last() const;
    std::filesystem::path root_;
};

/// What a command that looks at a run is given: the run's folder, or one of its checkpoints'
/// folders.
struct RunAndCheckpoint {
    RunFolder run;
    std::filesystem::path checkpoint;
};
/// Of a run's folder the best checkpoint, or the last where there is no best. Throws Error when
/// `path` is neither.
RunAndCheckpoint find_run(const std::filesystem::path& path);

}  // namespace attend::ATTEND_PRECISION
