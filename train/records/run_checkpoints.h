#pragma once
/// The folders of checkpoints: put in their place, linked to, removed.
#include <filesystem>
#include <string>

#include "core/real.h"

namespace attend::ATTEND_PRECISION {

/// Removes the files of a checkpoint, and its folder where nothing else is in it. 0, or the
/// system's error number.
int remove_checkpoint(const std::filesystem::path& folder);
/// Renames a checkpoint's folder to `to`, in place of the checkpoint or the link there; where other
/// people's files are in it, they stay, and the checkpoint's come beside them. Throws MachineError
/// when that fails.
void put_checkpoint_in_place(const std::filesystem::path& from, const std::filesystem::path& to);

/// Makes `link` point to `checkpoint` beside it by renaming a new link over it, and brings it to
/// the disk. Throws MachineError when the file system refuses.
void link_to_checkpoint(const std::filesystem::path& link, const std::filesystem::path& checkpoint);
/// The name of the checkpoint that a link points to, "step-N"; "" where there is no link.
std::string linked_checkpoint(const std::filesystem::path& link);

}  // namespace attend::ATTEND_PRECISION
