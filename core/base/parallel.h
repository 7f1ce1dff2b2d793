#pragma once
/// The one level of parallelism: a pool that runs numbered tasks, task i on worker i mod threads.
/// No kernel starts a thread.
#include <memory>

#include "core/base/function_ref.h"
#include "core/base/integers.h"

namespace attend {

/// Sets flush-to-zero and denormals-are-zero for the calling thread. Workers and main call it first
/// thing.
void flush_denormals();

/// A fixed set of threads. Worker 0 is the thread that calls run().
class Workers {
  public:
    /// Starts threads - 1 threads. Throws Error unless 1 <= threads <= 1024.
    explicit Workers(int threads);
    ~Workers();

    int threads() const;

    /// Runs task(0) ... task(tasks - 1), task i on worker i mod threads in ascending order, and
    /// returns when all have ended. If tasks throw, the rest still run, and the exception of the
    /// lowest task number is thrown again. Allocates nothing. Not reentrant: a task must not call
    /// run() of the same pool (throws MachineError).
    void run(int tasks, FunctionRef<void(int)> task);

    /// Cuts [0, size) into blocks of `block` elements and runs body(block number, begin, end) for
    /// each, block i on worker i mod threads: the cut depends on size and block alone, never on the
    /// number of threads.
    void blocks(int64_t size, int64_t block, FunctionRef<void(int64_t, int64_t, int64_t)> body);

  private:
    struct Pool;
    std::unique_ptr<Pool> pool_;
};

}  // namespace attend
