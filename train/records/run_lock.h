#pragma once
#include <filesystem>
#include <string>

#include "core/base/system_call.h"

namespace attend {

/// Keeps a run's folder for one process: an exclusive flock on the file `.lock` in it, which holds
/// the process's id. The system releases it however the process ends, so a killed run leaves no
/// stale lock; a run that ends removes the file. A file of that name that no run wrote is locked as
/// it is, and stays; a link is replaced. Looking at a run (eval, translate) needs no lock.
class RunLock {
  public:
    /// Holds nothing.
    RunLock() = default;
    /// Locks `folder`, which must be there. Throws Error, with nothing changed, when another
    /// process (or another RunLock of this one) holds it or the file cannot be made. On a file
    /// system that knows no locks the folder goes unlocked.
    explicit RunLock(const std::filesystem::path& folder);
    ~RunLock();
    RunLock(RunLock&& other) noexcept;
    RunLock& operator=(RunLock&& other) noexcept;

    /// From now on check_folder() also wants this file to be there and to begin with its own name:
    /// the claim by which a comparison has the run (train/study/compare/claims.h). For folders that
    /// several machines share, where flock may know one machine alone. "": none.
    void watch(const std::filesystem::path& claim) { claim_ = claim; }

    /// Throws MachineError when the folder's name does not lead to the folder that was locked any
    /// more: it was removed, renamed or replaced, or another process has locked it since, or the
    /// claim is lost. What would be written now would go elsewhere, or between another's.
    void check_folder() const;

  private:
    void lock_file();
    void check_claim() const;
    std::filesystem::path folder_, file_, claim_;
    Descriptor opened_folder_;  // held open, so that no other folder gets its number
    Descriptor descriptor_;
    bool ours_ = false;  // the file, which goes with the lock
};

/// Why the claim `claim` is its owner's no more, as it was opened: `descriptor`, or below 0 with the error number
/// `code`. "" where it is, and where it cannot be known now: that a machine is in need (no descriptors left, a disk
/// that does not answer) says nothing about the claim.
std::string loss_of_claim(const std::filesystem::path& claim, int descriptor, int code);

/// The id of the process that has locked `folder`, "unknown" where it did not say; "" where nobody
/// has. Changes nothing.
std::string lock_holder(const std::filesystem::path& folder);

}  // namespace attend
