#pragma once
/// Runs of a comparison as processes of this program, some side by side.
#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "train/records/observer.h"

namespace attend::compare {

/// One run to be made.
struct Job {
    std::string name;                    ///< "soft seed-1"
    std::string variant;                 ///< runs of one variant take about as long as each other
    std::filesystem::path folder;        ///< the run's; its process's messages go to messages() of it
    std::vector<std::string> arguments;  ///< of this program: "train", ...; --threads is added when it begins
    int64_t steps = 0;                   ///< that it will have done at its end
    int64_t first = 0;                   ///< that are done already
    std::size_t number = 0;              ///< of the run, for the one who makes the jobs
};

/// Where a run's process writes what would stand on the terminal: messages.txt in the run's folder.
std::filesystem::path messages(const std::filesystem::path& folder);

/// How a run's process ended.
struct JobEnd {
    int code = 0;         ///< its exit code; 128 + the signal that ended it
    std::string message;  ///< the last line it wrote; "" where the code is 0
};

/// Whether it ended as it was told to: it has saved and can be continued.
bool was_stopped(const JobEnd& end);
/// Whether it neither finished nor diverged nor was stopped.
bool has_failed(const JobEnd& end);

/// Starts a job's process and gives its id.
using StartJob = std::function<pid_t(const Job&)>;

/// The child's side of a fork: a process group of its own, so that a terminal's Ctrl-C reaches it
/// through its parent alone and once; SIGTERM when the parent dies, whatever kills it; nothing to
/// read, and output into a new file `output`, which takes the place of a link there or of a file,
/// which an earlier process may still write. Ends the process where that cannot be made, and with
/// 143 where `parent`, the process that forked, has died already.
void become_job(const char* output, pid_t parent);

/// A child process that executes this very program with the job's arguments. Throws MachineError
/// when the system refuses.
pid_t start_process(const Job& job);

struct Pace {
    int parallel = 1;  ///< processes at the same time
    int threads = 0;   ///< of all processes together; 0: the jobs' arguments say how many
    StartJob start = start_process;
    std::function<int()> stop;                ///< the signal to stop by, 0: go on
    Observer* observer = &no_observer();      ///< receives the progress
    std::function<void()> tick = {};          ///< called several times a second; what it throws stops all
    std::chrono::milliseconds interval{100};  ///< between two looks at the processes; one that ends is seen at once
};

/// Where jobs come from.
class JobSource {
  public:
    virtual ~JobSource() = default;
    /// A job to begin now; none where there is none for the moment.
    virtual std::optional<Job> next() = 0;
    /// Whether there will be no more.
    virtual bool exhausted() = 0;
    /// About how many more there are to begin.
    virtual int64_t left() = 0;
    /// How many there are in all, begun or not.
    virtual int64_t all() const = 0;
    /// How many have ended.
    virtual int64_t done() const = 0;
    /// The jobs that are to begin; none where it cannot be said which.
    virtual std::optional<std::span<const Job>> waiting() const { return std::nullopt; }
    /// Called several times a second.
    virtual void tick() {}
    /// Asked again and again while the job runs: whether it may. One that may not is told to stop.
    virtual bool keeps(const Job&) { return true; }
    /// Its process has ended.
    virtual void ended(const Job& job, const JobEnd& end) = 0;
};

/// Runs the jobs of a source and waits for all. One that fails does not end the others. When told
/// to stop, it passes the signal on to those that run, starts no more and waits. When starting a
/// job throws, those that run are stopped and waited for before it throws on.
///
/// Of Pace::threads each job gets its part, rounded down, as long as more jobs wait than can run.
/// The last ones, for whose places no other job waits, share all threads: a core that would idle
/// works for them. Where jobs are of unequal length, that is for a while more threads than cores.
void run_jobs(JobSource& source, const Pace& pace);

/// The same for jobs in their order. Those that were not started have no end.
std::vector<std::optional<JobEnd>> run_jobs(const std::vector<Job>& jobs, const Pace& pace);

}  // namespace attend::compare
