#pragma once
/// Runs of a comparison as processes of this program, some side by side.
#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "train/records/observer.h"

namespace attend::compare {

/// One run to be made.
struct Job {
    std::string name;                    ///< "soft, seed 1"
    std::string variant;                 ///< runs of one variant take about as long as each other
    std::filesystem::path folder;        ///< the run's; its process's messages go to messages() of it
    std::vector<std::string> arguments;  ///< of this program: "train", ...
    int64_t steps = 0;                   ///< that it will have done at its end
    int64_t first = 0;                   ///< that are done already
};

/// Where a run's process writes what would stand on the terminal: messages.txt in the run's folder.
std::filesystem::path messages(const std::filesystem::path& folder);

/// How a run's process ended.
struct JobEnd {
    int code = 0;         ///< its exit code; 128 + the signal that ended it
    std::string message;  ///< the last line it wrote; "" where the code is 0
};

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
    StartJob start = start_process;
    std::function<int()> stop;                ///< the signal to stop by, 0: go on
    Observer* observer = &no_observer();      ///< receives the progress
    std::chrono::milliseconds interval{100};  ///< between two looks at the processes
};

/// Runs the jobs in their order and waits for all. One that fails does not end the others. When
/// told to stop, it passes the signal on to those that run, starts no more and waits: those that
/// were not started have no end. When starting a job throws, those that run are stopped and waited
/// for before it throws on.
std::vector<std::optional<JobEnd>> run_jobs(const std::vector<Job>& jobs, const Pace& pace);

}  // namespace attend::compare
